// One object of an installation, where Setting stands for what an operator may set.

export interface Manifest {
  /** The file that it stands in, with others. */
  readonly file: string;
  /** Its head comment. */
  readonly about?: string;
  readonly object: object;
}
