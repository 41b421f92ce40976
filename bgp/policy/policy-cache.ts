// Policies compiled once, however many neighbours have them: a thousand with one policy of 200 rules are 2.5 GB else, and
// ten seconds at each change. Policies are plain data, so equal ones are one, whoever made them.
// Bound: the policies in use, and SPARE that are not.
import { type CompiledPolicy, compilePolicy } from './compile.ts';
import type { Policy } from './policy.ts';
import { type PolicyDelta, policyDelta } from './policy-delta.ts';

const SPARE = 64;

export class PolicyCache {
  /** Most neighbours of a plan share even the object. */
  readonly #byObject = new WeakMap<Policy, CompiledPolicy>();
  readonly #byText = new Map<string, WeakRef<CompiledPolicy>>();
  #mostTexts = SPARE;
  /** By the policy before: the last change of it. A thousand neighbours have the same one. */
  readonly #changes = new WeakMap<
    CompiledPolicy,
    { readonly after: CompiledPolicy; readonly delta: PolicyDelta | undefined }
  >();

  /** @throws Error naming the policy and the value when a prefix or community is not one */
  get(policy: Policy): CompiledPolicy {
    const known = this.#byObject.get(policy);
    if (known !== undefined) return known;
    // With names and reasons: policies that decide alike may be told of in other words.
    const text = JSON.stringify(policy);
    const compiled = this.#byText.get(text)?.deref() ?? this.#add(text, policy);
    this.#byObject.set(policy, compiled);
    return compiled;
  }

  /** What a change of one policy to another concerns; undefined: any route. */
  delta(before: CompiledPolicy, after: CompiledPolicy): PolicyDelta | undefined {
    const known = this.#changes.get(before);
    if (known?.after === after) return known.delta;
    const delta = policyDelta(before.policy, after.policy);
    this.#changes.set(before, { after, delta });
    return delta;
  }

  #add(text: string, policy: Policy): CompiledPolicy {
    const compiled = compilePolicy(policy);
    if (this.#byText.size >= this.#mostTexts) {
      for (const [key, ref] of this.#byText) if (ref.deref() === undefined) this.#byText.delete(key);
      this.#mostTexts = this.#byText.size * 2 + SPARE;
    }
    this.#byText.set(text, new WeakRef(compiled));
    return compiled;
  }
}
