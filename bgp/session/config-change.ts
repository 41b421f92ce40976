// What a changed neighbour configuration means for its running session (OPS-3): pure comparison.

export type ConfigChange =
  | { readonly kind: 'nothing' }
  /** Only routes are re-evaluated: import, export, next hop, limits. */
  | { readonly kind: 'soft'; readonly fields: readonly string[] }
  /** Used from the next connection or timer on. */
  | { readonly kind: 'later'; readonly fields: readonly string[] }
  /** The session must start anew; `reason` names the field, the old and the new value. */
  | { readonly kind: 'reset'; readonly reason: string; readonly fields: readonly string[] };
