// What a node tells a cluster beside its own objects: Events for people, and marks on its Node for the scheduler.

/** Something that happened to an object, so many times. */
export interface ClusterEvent {
  /** The event's; told again it counts on. */
  readonly name: string;
  readonly about: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
  };
  readonly type: 'Normal' | 'Warning';
  /** One word, for programs. */
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  /** RFC 3339, as is the other. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** Who says so. */
  readonly node: string;
}

/** What a Node says of its network. */
export interface NodeMarks {
  /** The condition NetworkUnavailable, which is True when pods cannot be served. */
  readonly isUnavailable: boolean;
  readonly reason: string;
  readonly message: string;
  /** Taken off once pods can be served: it was put on when the node joined. */
  readonly startUpTaint?: string;
}

/** Of a store that has a place for them: a cluster's. Both reject when nothing was written. */
export interface ClusterNotes {
  recordEvent(event: ClusterEvent): Promise<void>;
  /** Writes nothing when it is so already. @param now RFC 3339 */
  markNode(node: string, marks: NodeMarks, now: string): Promise<void>;
}
