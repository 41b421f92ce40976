// Growing and shrinking typed-array columns. A new large array comes from calloc, so pages that nobody has
// written cost no memory: capacities may be generous. The old array's memory is given back at once by
// detaching it (ArrayBuffer.transfer), not when the collector gets to it.

type Column = Int32Array | Uint32Array | Uint16Array | Uint8Array;

function moved<T extends Column>(old: T, next: T): T {
  next.set((old.length > next.length ? old.subarray(0, next.length) : old) as never);
  release(old);
  return next;
}

/** Gives the memory back now. The array must not be used afterwards (its length is 0). */
export function release(column: Column): void {
  (column.buffer as ArrayBuffer).transfer(0);
}

export function resizeI32(old: Int32Array, length: number): Int32Array {
  return moved(old, new Int32Array(length));
}

export function resizeU32(old: Uint32Array, length: number): Uint32Array {
  return moved(old, new Uint32Array(length));
}

export function resizeU16(old: Uint16Array, length: number): Uint16Array {
  return moved(old, new Uint16Array(length));
}

export function resizeU8(old: Uint8Array, length: number): Uint8Array {
  return moved(old, new Uint8Array(length));
}

/** The next capacity of a full column: x4 while small (few copies), x2 above a million entries. */
export function grownCapacity(capacity: number, needed: number): number {
  let next = capacity;
  while (next < needed) next *= next < 1 << 20 ? 4 : 2;
  return next;
}
