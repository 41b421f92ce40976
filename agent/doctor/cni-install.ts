// What the container runtime finds on this node: our executable, of this version, and our conflist first in its folder.
import { CONFLIST_NAME, filesBefore } from '#cni-plugin';
import { type Finding, good, notTested, shellWord, warning, wrong } from './finding.ts';
import { type Patient, planOf, readText } from './patient.ts';

export async function lookAtCniPlugin(patient: Patient): Promise<Finding[]> {
  const { cniBinDir } = patient.places;
  const path = `${cniBinDir}/podroute`;
  const [installed, built] = await Promise.all([
    patient.read(path),
    patient.builtCniPlugin === undefined ? undefined : patient.read(patient.builtCniPlugin),
  ]);
  const findings = [judgeCniPlugin(path, installed, built, patient.builtCniPlugin)];
  if (installed !== undefined) findings.push(...(await tryStatus(patient, path)));
  return findings;
}

export function judgeCniPlugin(
  path: string,
  installed: Uint8Array | undefined,
  built: Uint8Array | undefined,
  builtAt: string | undefined,
): Finding {
  const mend =
    builtAt === undefined || built === undefined
      ? []
      : [`install -D -m 755 ${shellWord(builtAt)} ${shellWord(path)}`];
  if (installed === undefined) return wrong(`${path} is not there: the runtime cannot wire pods`, ...mend);
  if (built === undefined) return good(`${path} is there; whether of this version is not known`);
  if (Buffer.compare(installed, built) === 0) return good(`${path} is of this version`);
  return wrong(`${path} is of another version than this command`, ...mend);
}

/** As the runtime would ask (CNI 1.1): a call through executable and socket to the agent. */
async function tryStatus(patient: Patient, path: string): Promise<Finding[]> {
  const conflist = await readText(patient, `${patient.places.cniConfDir}/${CONFLIST_NAME}`);
  const config = conflist === undefined ? undefined : networkConfig(conflist);
  if (config === undefined) return [];
  const answer = await patient.run([path], {
    input: JSON.stringify(config),
    env: { CNI_COMMAND: 'STATUS', CNI_PATH: patient.places.cniBinDir },
  });
  return answer === undefined ? [] : [judgeStatus(answer.exitCode, answer.stdout)];
}

export function judgeStatus(exitCode: number, stdout: string): Finding {
  if (exitCode === 0) return good('CNI STATUS: pods can be wired');
  const text = /"msg":\s*"((?:[^"\\]|\\.)*)"/.exec(stdout)?.[1];
  return wrong(`CNI STATUS: ${text ?? `exit code ${exitCode}`}`, 'podroute status');
}

/** What libcni hands to our executable. Undefined: the file is not as it should be. */
function networkConfig(text: string): object | undefined {
  try {
    const list = JSON.parse(text) as { cniVersion?: string; name?: string; plugins?: { type?: string }[] };
    const own = list.plugins?.find(({ type }) => type === 'podroute');
    return own && { ...own, cniVersion: list.cniVersion, name: list.name };
  } catch {
    return undefined;
  }
}

export async function lookAtConflists(patient: Patient): Promise<Finding[]> {
  const { cniConfDir } = patient.places;
  const names = await patient.list(cniConfDir);
  if (names === undefined && planOf(patient) === undefined)
    return [notTested(`${cniConfDir} is not there, and no agent tells of another folder`)];
  return judgeConflists(cniConfDir, names ?? []);
}

export function judgeConflists(folder: string, names: readonly string[]): Finding[] {
  const before = filesBefore(names);
  const findings = before.map((name) =>
    wrong(
      `${folder}/${name} sorts before ${CONFLIST_NAME}: the runtime takes that one, and pods get no address of podroute`,
      `mv ${shellWord(`${folder}/${name}`)} ${shellWord(`${folder}/${name}.off`)}`,
    ),
  );
  if (!names.includes(CONFLIST_NAME))
    findings.push(
      warning(`${folder}/${CONFLIST_NAME} is not there: the agent writes it once it can serve pods`),
    );
  return findings.length > 0 ? findings : [good(`${CONFLIST_NAME} is the first in ${folder}`)];
}
