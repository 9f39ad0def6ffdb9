/** The service's view of itself. */
import type { ClusterProvider } from '../cloud/cluster-provider.ts'
import type { Readiness } from '../schemas/system.ts'
import type { Store } from '../store/store.ts'
import type { Engine } from '../warehouse/warehouse.ts'

export interface SystemDependencies {
  store: Pick<Store, 'engine' | 'ping'>
  provider: Pick<ClusterProvider, 'status'>
  engine: Engine
}

export type System = ReturnType<typeof createSystem>

export function createSystem({ store, provider, engine }: SystemDependencies) {
  return {
    /**
     * What it stands on. Throws `store_unavailable` while the control store does not answer: without it no key
     * can be checked. A cluster that is not there is no reason to be unready: creating it is what the API is for.
     */
    async readiness(): Promise<Readiness> {
      await store.ping()
      const status = await provider.status()
      return { status: 'ready', store: store.engine, warehouse: engine, cluster: status }
    }
  }
}
