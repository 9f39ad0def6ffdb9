/** Reads a Dockerfile, as far as ours goes, and holds it to the rules for images of production. */

export interface Step {
  keyword: 'COPY' | 'RUN'
  /** What follows the keyword. */
  text: string
  /** The words of a COPY without its options. */
  words: string[]
  /** The stage that a COPY takes from. */
  copyFrom: string | undefined
}

export interface Stage {
  image: string
  name: string | undefined
  workdir: string
  env: Record<string, string>
  user: string | undefined
  steps: Step[]
  cmd: string[]
  healthcheck: string[]
}

/** Every instruction on a line of its own, comments and continuations resolved. */
const instructions = (text: string): [string, string][] =>
  text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
      return [keyword, rest]
    })

/** The stages of a Dockerfile. Throws on an instruction that this file does not know. */
export function parseDockerfile(text: string): Stage[] {
  const stages: Stage[] = []
  for (const [keyword, rest] of instructions(text)) {
    const stage = stages.at(-1)
    if (keyword === 'FROM') {
      const [image = '', , name] = rest.split(/\s+/)
      stages.push({
        image,
        name,
        workdir: '/',
        env: {},
        user: undefined,
        steps: [],
        cmd: [],
        healthcheck: []
      })
    } else if (keyword === 'ARG' && stage === undefined) {
    } else if (stage === undefined) {
      throw new Error(`${keyword} before FROM`)
    } else if (keyword === 'COPY' || keyword === 'RUN') {
      const words = rest.split(/\s+/)
      const copyFrom = words.find((word) => word.startsWith('--from='))?.slice('--from='.length)
      stage.steps.push({
        keyword,
        text: rest,
        words: words.filter((word) => !word.startsWith('--')),
        copyFrom
      })
    } else if (keyword === 'WORKDIR') stage.workdir = rest
    else if (keyword === 'USER') stage.user = rest
    else if (keyword === 'ENV') {
      for (const pair of rest.split(/\s+/)) {
        const [name = '', value = ''] = pair.split('=')
        stage.env[name] = value
      }
    } else if (keyword === 'CMD') stage.cmd = JSON.parse(rest)
    else if (keyword === 'HEALTHCHECK') stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('[')))
    else if (!['EXPOSE', 'VOLUME', 'LABEL'].includes(keyword))
      throw new Error(`unknown instruction ${keyword}`)
  }
  return stages
}

/** What an image of production must not have, or must; one line for each violation. */
export function lintDockerfile(text: string): string[] {
  const stages = parseDockerfile(text)
  const last = stages.at(-1)
  const all = instructions(text)
  const version = all.find(([keyword, rest]) => keyword === 'ARG' && rest.startsWith('NODE_VERSION='))?.[1]
  const runs = stages.flatMap(({ steps }) => steps).filter(({ keyword }) => keyword === 'RUN')
  const rules: [boolean, string][] = [
    [/^NODE_VERSION=\d+\.\d+\.\d+$/.test(version ?? ''), 'the base image has an exact version'],
    [
      stages.every(({ image }) => /^node:\$\{NODE_VERSION\}-slim$/.test(image)),
      'every stage has the same slim base'
    ],
    [stages.length > 1, 'what builds is not what runs'],
    [last?.user !== undefined && !/^(root|0)\b/.test(last.user), 'it does not run as root'],
    [(last?.healthcheck.length ?? 0) > 0, 'it has a health check without a shell'],
    [last?.cmd[0] === 'node', 'signals reach the service: neither a shell nor npm is in between'],
    [last?.env.NODE_ENV === 'production', 'it runs in production mode'],
    [!all.some(([keyword]) => keyword === 'ADD'), 'nothing is fetched by ADD'],
    [runs.every(({ text }) => !/\bsudo\b|curl .*\| *(ba)?sh/.test(text)), 'nothing is piped into a shell'],
    [
      runs.every(({ text }) => !/npm (ci|install)/.test(text) || /--omit=dev/.test(text)),
      'no development dependency'
    ],
    [runs.every(({ text }) => !/npm install/.test(text)), 'the lock file decides what is installed'],
    [!/(PASSWORD|SECRET|API_KEY|TOKEN)=/.test(text), 'it holds no secret'],
    [
      !stages.some(({ steps }) => steps.some(({ words, keyword }) => keyword === 'COPY' && words[0] === '.')),
      'files are named'
    ]
  ]
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule)
}
