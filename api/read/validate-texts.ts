// Files as an operator would apply them, checked one by one and together, without an agent.
import { checkTogether } from './cross-checks.ts';
import { parseText, type TextDocument } from './parse-text.ts';
import type { Problem } from '../schema/problem.ts';
import type { Refused } from './refused.ts';
import { identityText, type Kind, type Resource, type Resources, resourcesOf } from '../kinds/resources.ts';

export interface ValidatedTexts {
  readonly documents: number;
  /** What of them nobody read and no warning names, once each: 'v1 ConfigMap is not a kind that podroute reads'. */
  readonly unread: readonly string[];
  readonly problems: readonly Problem[];
  /** What is good of them, wrong objects left out. */
  readonly resources: Resources;
  /** The wrong ones: these are all versions that there are. */
  readonly refused: Refused;
  /** The same Problem with file and line of the object that it is about, when that is known. */
  readonly locate: (problem: Problem) => Problem;
}

/** As validateDocuments, of files. Never throws. */
export const validateTexts = (
  files: readonly { readonly file: string; readonly text: string }[],
): ValidatedTexts => validateDocuments(files.flatMap(({ file, text }) => parseText(text, file)));

/** Of two documents for one object the first counts. */
export function validateDocuments(documents: readonly TextDocument[]): ValidatedTexts {
  const problems = documents.flatMap((document) => document.problems);
  const byName = new Map<string, TextDocument>();
  const objects: Resource[] = [];
  for (const document of documents) {
    const { identity, resource } = document;
    if (identity === undefined) continue;
    const object = identityText(identity);
    const first = byName.get(object);
    if (first !== undefined) {
      problems.push(doubledObject(object, document, first.file));
      continue;
    }
    byName.set(object, document);
    if (resource !== undefined) objects.push(resource);
  }
  const resources = resourcesOf(objects);
  const locate = (problem: Problem) => placed(problem, byName.get(problem.object));
  const refused = {
    objects: new Set([...byName].flatMap(([name, { resource }]) => (resource === undefined ? [name] : []))),
    files: new Set(documents.flatMap((document) => (isNobody(document) ? [document.file] : []))),
    kinds: new Set<Kind>(),
  };
  const together = checkTogether(resources, refused.objects).map(locate);
  const unread = [
    ...new Set(documents.flatMap(({ ignored, problems: told }) => (told.length > 0 ? [] : (ignored ?? [])))),
  ];
  return {
    documents: documents.length,
    unread,
    problems: [...problems, ...together],
    resources,
    refused,
    locate,
  };
}

/** A document of ours that does not say, or not rightly, which object it is. */
export const isNobody = ({ identity, problems }: TextDocument): boolean =>
  identity === undefined && problems.some(({ severity }) => severity !== 'warning');

/** The Problem of a document whose object another file (`first`) has already. */
export function doubledObject(object: string, document: TextDocument, first: string): Problem {
  return placed(
    {
      object,
      field: 'metadata.name',
      message: `stands in ${first} already, and that one is in force; delete one of them`,
    },
    document,
  );
}

/** The same Problem with file and line of the document that it is about, when that is known. */
export function placed(problem: Problem, document: TextDocument | undefined): Problem {
  if (problem.file !== undefined || document === undefined) return problem;
  const line = document.lineOf(problem.field);
  return { ...problem, file: document.file, ...(line !== undefined && { line }) };
}
