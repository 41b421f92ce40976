// Passwords: which Secret a reference means, and that a session without its password is down.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.1.1']);
const SPEC = '{ peerIP: 10.0.1.0, asNumber: 65000, password: { secretKeyRef: { name: bgp, key: md5 } } }';

function plan(spec: string, more: readonly string[] = []) {
  return planOf(resourcesFromYaml(N1, objectYaml('BGPPeer', 'tor', spec), ...more), 'n1');
}

function secretYaml(value: string, metadata = '{ name: bgp }', key = 'md5'): string {
  return `apiVersion: v1\nkind: Secret\nmetadata: ${metadata}\nstringData: { ${key}: ${value} }`;
}

describe('a session with a password', () => {
  it('stays down while the password is not there, and names the Secret', () => {
    const missing = plan(SPEC);
    assert.ok(missing.peer('tor').config.shutdown);
    assert.match(missing.problems.join(), /BGPPeer tor: spec.password.secretKeyRef.name: "bgp" is no Secret/);
    const otherKey = plan(SPEC, [secretYaml('x', '{ name: bgp }', 'other')]);
    assert.match(otherKey.problems.join(), /key: "md5" is no key of Secret bgp/);
    assert.ok(otherKey.peer('tor').config.shutdown);
    const empty = plan(SPEC, [secretYaml('""')]);
    assert.match(empty.problems.join(), /key: "md5" is empty in Secret bgp/);
    assert.ok(empty.peer('tor').config.shutdown);
  });

  it('has none under a key that every object has: nobody can guess it', () => {
    for (const key of ['constructor', 'toString', '__proto__']) {
      const { peer, problems } = plan(SPEC.replace('md5', key), [secretYaml('x')]);
      assert.equal(peer('tor').config.md5Key, undefined);
      assert.ok(peer('tor').config.shutdown);
      assert.match(problems.join(), /is no key of Secret bgp/);
    }
  });

  it('that TCP MD5 does not take is told of, and is the speaker’s to refuse', () => {
    const of = (length: number) => plan(SPEC, [secretYaml('x'.repeat(length))]);
    assert.deepEqual(of(80).problems, []);
    assert.match(of(81).problems.join(), /has 81 octets in Secret bgp, and TCP MD5 takes 80/);
    assert.doesNotMatch(of(81).problems.join(), /xxx/);
    assert.equal(of(81).peer('tor').config.md5Key?.length, 81);
  });

  it('and another one at the same address on another link: the plan says who cannot connect', () => {
    const on = (link: string, key: string) =>
      objectYaml(
        'BGPPeer',
        link,
        `{ peerIP: "fe80::1%${link}", asNumber: 65000, password: { secretKeyRef: { name: bgp, key: ${key} } } }`,
      );
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: bgp }\nstringData: { a: x, b: z }';
    const problems = (...keys: string[]) =>
      planOf(resourcesFromYaml(N1, secret, ...keys.map((key, i) => on(`eth${i}`, key))), 'n1').problems;
    assert.deepEqual(problems('a', 'a'), []);
    assert.match(
      problems('a', 'b').join(),
      /^warning: BGPPeer eth1: spec.peerIP: "fe80::1" is the address of BGPPeer eth0 too, with another password/,
    );
  });

  it('of a range: who is inside it and has none is told that he is not heard', () => {
    const secret = secretYaml('x');
    const range = objectYaml(
      'BGPPeer',
      'fleet',
      '{ peerRange: 10.0.1.0/24, asNumber: 65000, password: { secretKeyRef: { name: bgp, key: md5 } } }',
    );
    const inside = (name: string, spec: string) =>
      objectYaml('BGPPeer', name, `{ asNumber: 65000, ${spec} }`);
    const problems = (...more: string[]) =>
      planOf(resourcesFromYaml(N1, secret, range, ...more), 'n1').problems;
    assert.deepEqual(problems(inside('far', 'peerIP: 10.0.2.1')), []);
    assert.match(
      problems(inside('tor', 'peerIP: 10.0.1.0')).join(),
      /^warning: BGPPeer tor: spec.peerIP: "10.0.1.0" lies in the range of BGPPeer fleet, which has a password/,
    );
    assert.equal(problems(inside('rack', 'peerRange: 10.0.1.128/25')).length, 1);
    assert.equal(problems(inside('rack', 'peerRange: 10.0.0.0/16')).length, 0);
  });

  it('never has that of a Secret in another namespace', () => {
    const foreign = secretYaml('foreign', '{ name: bgp, namespace: web-shop }');
    const own = plan(SPEC, [foreign, secretYaml('right', '{ name: bgp, namespace: kube-system }')]);
    assert.equal(own.peer('tor').config.md5Key, 'right');
    const { peer, problems } = plan(SPEC, [foreign]);
    assert.equal(peer('tor').config.md5Key, undefined);
    assert.ok(peer('tor').config.shutdown);
    assert.match(
      problems.join(),
      /Secret of namespace web-shop, and podroute takes those of kube-system alone/,
    );
  });
});
