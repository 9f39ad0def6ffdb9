/** Reads the parameters of the query protocols: `Tags.Tag.1.Key=a`, `Filter.1.Value.2=b`, `IamRoles=`. */
import { AwsError } from './errors.ts'

interface Node {
  value?: string
  children: Map<string, Node>
}

const newNode = (): Node => ({ children: new Map() })
const isNumbered = (node: Node) => [...node.children.keys()].every((key) => /^\d+$/.test(key))

export class Params {
  readonly #node: Node

  constructor(node: Node) {
    this.#node = node
  }

  static parse(fields: Iterable<[string, string]>): Params {
    const root = newNode()
    for (const [name, value] of fields) {
      let node = root
      for (const part of name.split('.')) {
        const child = node.children.get(part) ?? newNode()
        node.children.set(part, child)
        node = child
      }
      node.value = value
    }
    return new Params(root)
  }

  /** The value of this very entry, when it is a list of plain values. */
  get value(): string {
    return this.#node.value ?? ''
  }

  /** Undefined when it was not given; an empty text counts as given. */
  text(name: string): string | undefined {
    return this.#node.children.get(name)?.value
  }

  has(name: string): boolean {
    return this.#node.children.has(name)
  }

  required(name: string): string {
    const value = this.text(name)
    if (value === undefined || value === '') {
      throw new AwsError('MissingParameter', `The request must contain the parameter ${name}`)
    }
    return value
  }

  integer(name: string): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!/^-?\d+$/.test(value)) throw new AwsError('MalformedInput', `${name} is not an integer: ${value}`)
    return Number(value)
  }

  boolean(name: string): boolean | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : value === 'true'
  }

  /** The entries of a list in their order, whatever the protocol calls a member: `X.1`, `X.member.1`, `X.Tag.1`. */
  list(name: string): Params[] {
    let node = this.#node.children.get(name)
    if (node === undefined) return []
    if (!isNumbered(node)) node = [...node.children.values()][0] ?? newNode()
    return [...node.children]
      .sort(([left], [right]) => Number(left) - Number(right))
      .map(([, child]) => new Params(child))
  }

  texts(name: string): string[] {
    return this.list(name).map((entry) => entry.value)
  }

  tags(name: string): Tag[] {
    return this.list(name).map((entry) => ({ key: entry.required('Key'), value: entry.text('Value') ?? '' }))
  }
}

export interface Tag {
  key: string
  value: string
}

/** Adds tags; one whose key is there already gets the new value. */
export function putTags(tags: Map<string, string>, added: readonly Tag[]): void {
  for (const { key, value } of added) tags.set(key, value)
}
