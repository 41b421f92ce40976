// One object of an installation, where Setting stands for what an operator may set.

export interface Manifest {
  /** The file that it stands in, with others. */
  readonly file: string;
  /** Its head comment. */
  readonly about?: string;
  /** Stands there only while podroute serves, or only while it is taken away. Undefined: both. All of a file alike. */
  readonly only?: 'serving' | 'leaving';
  readonly object: object;
}
