// The plan as the agent's socket shows it. Its passwords are secret: NodePlan has no place for one.
import type { NodePlan } from '#agent-api';
import type { Plan } from './types.ts';

export function shownPlan({ node, speaker, peers, originations, kernel }: Plan): NodePlan {
  return {
    node,
    speaker,
    peers: peers.map(({ config, ...rest }) => {
      const { md5Key, ...settings } = config;
      // A key keeps its place in the text.
      return { config: md5Key === undefined ? settings : { ...config, md5Key: '(secret)' }, ...rest };
    }),
    originations,
    kernel,
  };
}
