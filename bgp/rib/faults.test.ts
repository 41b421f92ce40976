// Each place where the RIB's work can fail over one route, made to fail there.
import assert from 'node:assert/strict';
import { REJECT_ALL } from '../policy/policy.ts';
import { RibLab } from './testing/rib-lab.ts';

const BAD = '10.66.0.0/16';
const FAULT = new Error('put in by the test');

function attacked(): RibLab {
  const lab = new RibLab();
  lab.isFaulty = true;
  lab.up({ id: 'reader', address: '10.0.1.9', as: 65009 });
  lab.up({ id: 'good', address: '10.0.1.2', as: 65002 });
  lab.up({ id: 'hostile', address: '10.0.1.1', as: 65001 });
  lab.announce('good', ['10.3.0.0/16'], { path: [65002], nextHop: '10.0.1.2' });
  lab.settle();
  lab.events.length = 0;
  return lab;
}

function attack(lab: RibLab): void {
  lab.announce('hostile', ['10.1.0.0/16'], { path: [65001], nextHop: '10.0.1.1' });
  lab.announce('hostile', [BAD], { path: [65001, 666], nextHop: '10.0.1.1' });
  lab.announce('good', ['10.4.0.0/16'], { path: [65002], nextHop: '10.0.1.2' });
}

/** The prefixes that the reader holds, sorted. */
const held = (lab: RibLab): string[] => [...lab.session('reader').held.keys()].sort();

function assertOnlyHostileFell(lab: RibLab): void {
  assert.deepEqual(lab.events, [`fault hostile ${BAD}: Error: put in by the test`]);
  assert.equal(lab.sessions.has('good'), true);
  assert.deepEqual(held(lab), ['10.3.0.0/16', '10.4.0.0/16']);
  const kept = lab.rib.peer('hostile')!.malformed;
  assert.equal(kept.counts.sessionReset, 1);
  assert.match(kept.last[0]!.hex, /100a42$/);
}

describe('rib: a fault over one route', () => {
  it('in the decision', () => {
    const lab = attacked();
    const { decision, tables } = lab.rib;
    const choose = decision.choose.bind(decision);
    decision.choose = (table, prefix) => {
      const first = tables[0].head[prefix]! - 1;
      if (lab.rib.prefixText(table, prefix) === BAD && decision.isUsable(table, first)) throw FAULT;
      return choose(table, prefix);
    };
    attack(lab);
    lab.settle();
    assertOnlyHostileFell(lab);
  });

  it('in the building of an UPDATE', () => {
    const lab = attacked();
    const { attributes, tables } = lab.rib;
    lab.announce('hostile', [BAD], { path: [65001], nextHop: '10.0.1.1' });
    lab.settle();
    assert.deepEqual(held(lab), ['10.3.0.0/16', BAD]);
    attack(lab);
    const path = tables[0].head[tables[0].prefixes.find4(0x0a420000, 16)]! - 1;
    const bad = tables[0].attribute[path]!;
    const start = attributes.start.bind(attributes);
    let isArmed = true;
    attributes.start = (id) => {
      if (id === bad && isArmed) throw FAULT;
      return start(id);
    };
    lab.turn();
    isArmed = false;
    lab.settle();
    assert.deepEqual(lab.events, [`fault hostile ${BAD}: Error: put in by the test`]);
    assert.deepEqual(held(lab), ['10.3.0.0/16', '10.4.0.0/16']);
  });

  it('in a sweep', () => {
    const lab = attacked();
    attack(lab);
    lab.settle();
    const { paths, tables } = lab.rib;
    const reevaluate = paths.reevaluate.bind(paths);
    paths.reevaluate = (peer, table, path, eligibility) => {
      if (lab.rib.prefixText(tables[0], table.prefix[path]!) === BAD) throw FAULT;
      reevaluate(peer, table, path, eligibility);
    };
    const reject = { import: REJECT_ALL };
    for (const id of ['hostile', 'good']) {
      const { config } = lab.session(id);
      lab.rib.neighbours.configure({ ...config, ...reject });
    }
    lab.settle();
    assert.deepEqual(lab.events, [`fault hostile ${BAD}: Error: put in by the test`]);
    assert.deepEqual(held(lab), []);
    assert.equal(lab.rib.peer('good')!.filtered[0], 2);
  });

  it('while a new group of neighbours is built up', () => {
    const lab = attacked();
    attack(lab);
    lab.settle();
    const { view, tables } = lab.rib;
    const path = view.path.bind(view);
    view.path = (rules, table, id) => {
      if (rules.maxMessageBytes !== 4096 && lab.rib.prefixText(tables[0], table.prefix[id]!) === BAD) {
        view.lookedAt = id;
        throw FAULT;
      }
      return path(rules, table, id);
    };
    const late = lab.up({ id: 'late', address: '10.0.1.8', as: 65008, maxMessageBytes: 65535 });
    lab.settle();
    assertOnlyHostileFell(lab);
    assert.deepEqual([...late.held.keys()].sort(), ['10.3.0.0/16', '10.4.0.0/16']);
    assert.deepEqual(late.endOfRib, ['ipv4', 'ipv6']);
  });

  it('nobody falls for one that no route leads to, and the work goes on a moment later', () => {
    const lab = attacked();
    const { exports } = lab.rib;
    const step = exports.step.bind(exports);
    let left = 3;
    exports.step = () => {
      if (left-- > 0) throw FAULT;
      return step();
    };
    attack(lab);
    for (let i = 0; i < 20; i++) {
      lab.settle();
      lab.clock.advance(100);
    }
    assert.deepEqual(lab.events, Array(3).fill('fault - : Error: put in by the test'));
    assert.deepEqual(held(lab), ['10.1.0.0/16', '10.3.0.0/16', '10.4.0.0/16', BAD]);
  });
});
