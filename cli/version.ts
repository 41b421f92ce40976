// The version this source tree is, from package.json (read at build time by the bundler).
import packageJson from '../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;
