// Growing and shrinking typed-array columns. A new large array comes from calloc, so pages that nobody has
// written cost no memory: capacities may be generous. The old array's memory is given back at once by
// detaching it (ArrayBuffer.transfer), not when the collector gets to it.

type Column = I32 | U32 | U16 | U8 | F32;

/** Columns own their memory (never shared). */
export type I32 = Int32Array<ArrayBuffer>;
export type U32 = Uint32Array<ArrayBuffer>;
export type U16 = Uint16Array<ArrayBuffer>;
export type U8 = Uint8Array<ArrayBuffer>;
export type F32 = Float32Array<ArrayBuffer>;

function moved<T extends Column>(old: T, next: T): T {
  next.set((old.length > next.length ? old.subarray(0, next.length) : old) as never);
  release(old);
  return next;
}

/** Gives the memory back now. The array must not be used afterwards (its length is 0). */
export function release(column: Column): void {
  column.buffer.transfer(0);
}

export function resizeI32(old: I32, length: number): I32 {
  return moved(old, new Int32Array(length));
}

export function resizeU32(old: U32, length: number): U32 {
  return moved(old, new Uint32Array(length));
}

export function resizeU16(old: U16, length: number): U16 {
  return moved(old, new Uint16Array(length));
}

export function resizeU8(old: U8, length: number): U8 {
  return moved(old, new Uint8Array(length));
}

export function resizeF32(old: F32, length: number): F32 {
  return moved(old, new Float32Array(length));
}

/** The next capacity of a full column: x4 while small (few copies), x2 above a million entries. */
export function grownCapacity(capacity: number, needed: number): number {
  let next = capacity;
  while (next < needed) next *= next < 1 << 20 ? 4 : 2;
  return next;
}
