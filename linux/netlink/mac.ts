// MAC addresses between text and bytes.

/** 'aa:bb:cc:dd:ee:ff' */
export function formatMac(bytes: Uint8Array, offset: number, size: number): string {
  const parts: string[] = [];
  for (let i = 0; i < size; i++) parts.push((bytes[offset + i] ?? 0).toString(16).padStart(2, '0'));
  return parts.join(':');
}

/** undefined when it is not six pairs of hexadecimal digits. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}
