// What is used of the package tar-stream, which comes without types.
declare module 'tar-stream' {
  interface Header {
    readonly name: string;
    readonly type: 'file' | 'directory' | 'symlink';
    readonly mode: number;
    readonly mtime: Date;
    readonly uid: number;
    readonly gid: number;
    readonly linkname?: string;
  }

  interface Pack extends AsyncIterable<Buffer> {
    entry(header: Header, content?: Buffer): unknown;
    finalize(): void;
  }

  export function pack(): Pack;
}
