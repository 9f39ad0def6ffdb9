/** Where rejected rows stand in their objects, and their text. */
import { setImmediate } from 'node:timers/promises'
import { eachRecord, toRaw } from '../sources/sift.ts'
import { type LoadObject, MAX_RAW_BYTES, type Reject } from './warehouse.ts'

/** An object whose bytes are in a file on this machine. */
export interface StagedObject extends LoadObject {
  path: string
}

/** Where a staged row comes from: its line, or where that is unknown its number among the object's records. */
export interface Place {
  row_no: number
  object_no: number
  line_number: number | null
  record_number: number
}

type RecordText = Pick<Reject, 'line_number' | 'raw' | 'raw_truncated'>

/** Reads the objects again for the text of rejected rows; each object once, whatever its number of rejects. */
export async function readRecords(
  places: Place[],
  objects: Map<number, StagedObject>
): Promise<Map<number, RecordText>> {
  const texts = new Map<number, RecordText>()
  for (const [objectNo, ofObject] of Map.groupBy(places, (place) => place.object_no)) {
    const object = objects.get(objectNo)
    if (object === undefined) throw new Error(`the load has no object ${objectNo}`)
    const byLine = new Map(ofObject.map((place) => [place.line_number, place.row_no]))
    const byRecord = new Map(
      ofObject
        .filter((place) => place.line_number === null)
        .map((place) => [place.record_number, place.row_no])
    )
    let record = 0
    // Small objects are read without a pause: the service answers between them.
    await setImmediate()
    await eachRecord(object, (line) => {
      record += 1
      const row = byLine.get(line.number) ?? byRecord.get(record)
      if (row !== undefined) texts.set(row, { line_number: line.number, ...toRaw(line, MAX_RAW_BYTES) })
    })
  }
  return texts
}
