// The limit of prefixes: warned of once, over it the session ends, and a changed limit is looked at anew.
import assert from 'node:assert/strict';
import { fakeConfig, type FakePeerOptions } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';

const four = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `20.0.${from + i}.0/24`);
const six = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `2001:db8:${from + i}::/48`);

function peer(limit: number, warnPercent: number): FakePeerOptions {
  return { id: 'a', address: '192.0.2.1', as: 65001, config: { maxPrefixes: { limit, warnPercent } } };
}

function announce(lab: RibLab, prefixes: string[]): void {
  const nextHop = prefixes[0]!.includes(':') ? '2001:db8::1' : '192.0.2.1';
  lab.announce('a', prefixes, { path: [65001], nextHop });
}

function change(lab: RibLab, limit: number, warnPercent: number): void {
  const config = fakeConfig(peer(limit, warnPercent));
  lab.session('a').config = config;
  lab.rib.neighbours.configure(config);
}

/** What was said since it was asked last. */
const said = (lab: RibLab): string => lab.events.splice(0).join(', ');

describe('the limit of prefixes', () => {
  for (const [family, list] of [four, six].entries()) {
    it(`family ${family}: said above the mark, once, and above the limit`, () => {
      const lab = new RibLab();
      lab.up(peer(10, 50));
      announce(lab, list(0, 5));
      assert.equal(said(lab), '', '5 of 10 is the mark');
      announce(lab, list(5, 6));
      assert.equal(said(lab), `near limit a ${family}`);
      announce(lab, list(6, 10));
      assert.equal(said(lab), '', 'it was said');
      announce(lab, list(3, 10));
      assert.equal(said(lab), '', 'what comes again is not more');
      announce(lab, list(10, 11));
      assert.equal(said(lab), `over limit a ${family}`);
      lab.settle();
      lab.up(peer(10, 50));
      announce(lab, list(0, 6));
      assert.equal(said(lab), `near limit a ${family}`, 'a new session hears it again');
    });

    it(`family ${family}: another limit, or another mark, counts at once`, () => {
      const lab = new RibLab();
      lab.up(peer(10, 50));
      announce(lab, list(0, 6));
      assert.equal(said(lab), `near limit a ${family}`);
      change(lab, 10, 60);
      assert.equal(said(lab), '');
      change(lab, 8, 60);
      assert.equal(said(lab), `near limit a ${family}`);
      change(lab, 7, 60);
      assert.equal(said(lab), `near limit a ${family}`, 'of each that was told');
      change(lab, 5, 60);
      assert.equal(said(lab), `over limit a ${family}`);
    });
  }

  it('is warned of in each family by itself', () => {
    const lab = new RibLab();
    lab.up(peer(10, 50));
    announce(lab, four(0, 6));
    assert.equal(said(lab), 'near limit a 0');
    announce(lab, six(0, 6));
    assert.equal(said(lab), 'near limit a 1', 'IPv4 over its mark says nothing of IPv6');
    announce(lab, [...four(0, 7)]);
    announce(lab, [...six(0, 7)]);
    assert.equal(said(lab), '', 'each was said');
    change(lab, 12, 50);
    assert.equal(said(lab), 'near limit a 0, near limit a 1');
  });

  it('is of each family, and a session that has ended is not ended again', () => {
    const lab = new RibLab();
    lab.up(peer(10, 100));
    announce(lab, four(0, 8));
    announce(lab, six(0, 8));
    assert.equal(said(lab), '');
    change(lab, 5, 100);
    assert.equal(said(lab), 'over limit a 0');
  });
});
