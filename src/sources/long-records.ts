/** Finds files that may hold a record beyond the limit, without reading them whole. */
import { type FileHandle, open } from 'node:fs/promises'

/** How much is read at a time: a newline nearly always is in the first piece. */
const PIECE = 64 * 1024
const NEWLINE = 10

/**
 * True if a line of the file may be longer than `maxBytes`; false only if none is. A line that long covers a whole
 * block of half the length, wherever it starts, so it is enough to see that every such block has a newline in it.
 */
export async function mayHoldLongLine(path: string, bytes: number, maxBytes: number): Promise<boolean> {
  if (bytes <= maxBytes) return false
  const block = Math.floor(maxBytes / 2)
  const file = await open(path)
  try {
    const piece = Buffer.allocUnsafe(PIECE)
    for (let start = 0; start + block <= bytes; start += block) {
      if (!(await hasNewline(file, piece, start, start + block))) return true
    }
    return false
  } finally {
    await file.close()
  }
}

async function hasNewline(file: FileHandle, piece: Buffer, start: number, end: number): Promise<boolean> {
  for (let at = start; at < end; ) {
    const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, end - at), at)
    if (piece.subarray(0, bytesRead).includes(NEWLINE)) return true
    // The file became shorter: what is gone holds no line.
    if (bytesRead === 0) return true
    at += bytesRead
  }
  return false
}
