/** Why a record cannot be loaded. */
export class LoadError extends Error {
  readonly code: number
  readonly position: number

  constructor(code: number, reason: string, position = 0) {
    super(reason)
    this.code = code
    this.position = position
  }
}
