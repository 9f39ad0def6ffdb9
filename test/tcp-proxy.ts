/** A way to a server that can be cut and mended. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface TcpProxy {
  port: number
  /** Connections that were asked for since it was made. */
  attempts(): number
  /** Breaks every connection, and each new one at once. */
  cut(): void
  mend(): void
}

/** Leads to a port of this machine; closed when the test ends. */
export async function startProxy(t: Test, target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isCut = false
  let attempts = 0
  const server = createServer((client) => {
    attempts += 1
    if (isCut) return void client.destroy()
    const upstream = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    breakAll()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    attempts: () => attempts,
    cut() {
      isCut = true
      breakAll()
    },
    mend() {
      isCut = false
    }
  }
}
