// The plan as it may be shown: passwords are secret.
import type { Plan } from './types.ts';

export function withoutSecrets(plan: Plan): Plan {
  const peers = plan.peers.map((peer) => {
    const { config } = peer;
    return config.md5Key === undefined ? peer : { ...peer, config: { ...config, md5Key: '(secret)' } };
  });
  return { ...plan, peers };
}
