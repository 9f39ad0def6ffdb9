/** The cloud of `npm run demo:redshift`: an emulated AWS with the sample data in its S3, and the cluster behind it. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureSample } from '../src/sources/sample.ts'
import { startAwsEmulator } from '../test/emulators/aws.ts'
import { clusterOfAws } from '../test/emulators/redshift/of-aws.ts'
import { startRedshiftEmulator } from '../test/emulators/redshift.ts'

const DATA = 'sparkify-data'
const SCRATCH = 'sparkify-manifests'

export interface EmulatedCloud {
  /** The settings with which the service uses it. */
  env: Record<string, string>
  close(): Promise<void>
}

/** Starts both emulators; the sample, and what the service needs to trust the cluster, go below `directory`. */
export async function startEmulatedCloud(directory: string): Promise<EmulatedCloud> {
  const sample = join(directory, 'sample')
  await ensureSample(sample)
  const aws = await startAwsEmulator({ delays: { create: 2_000, rolePropagation: 1_000 } })
  aws.s3.createBucket(DATA)
  for (const name of globSync('**/*.json', { cwd: sample })) {
    aws.s3.put(DATA, name.replaceAll('\\', '/'), readFileSync(join(sample, name)))
  }
  aws.s3.createBucket(SCRATCH)
  const cluster = clusterOfAws(aws, 'sparkify')
  const redshift = await startRedshiftEmulator({ ...cluster, database: 'sparkify' })
  aws.redshiftEndpoint = { host: redshift.serverName, port: redshift.port }
  const authorities = join(directory, 'redshift-ca.pem')
  writeFileSync(authorities, redshift.ca)
  return {
    env: {
      ...aws.env,
      WAREHOUSE: 'redshift',
      CLUSTER_MODE: 'managed',
      SONG_DATA: `s3://${DATA}/song_data`,
      LOG_DATA: `s3://${DATA}/log_data`,
      MANIFEST_PREFIX: `s3://${SCRATCH}/loads/`,
      // The cluster's name leads nowhere on this machine: the way to it is a tunnel.
      REDSHIFT_HOST: redshift.host,
      REDSHIFT_PORT: String(redshift.port),
      REDSHIFT_TLS_CA_FILE: authorities
    },
    async close() {
      await redshift.close()
      await aws.close()
    }
  }
}
