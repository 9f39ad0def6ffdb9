/** Signing in and out, and what is shown meanwhile. */
import { forgetKey, get, hasKey, keepKey, Problem } from './api.js'
import { byId } from './dom.js'
import { watch } from './overview.js'
import { ask, openQuestions, stopAsking } from './questions.js'

/** @type {AbortController | undefined} */
let session

async function open() {
  if (!hasKey()) return signIn('')
  session?.abort()
  session = new AbortController()
  const { signal } = session
  try {
    const actor = await get('whoami')
    showSignedIn(actor)
    await openQuestions()
    /** @type {number | null | undefined} */
    let shown
    await watch(actor, {
      signal,
      onError: fail,
      // A load that has committed changes what the questions answer.
      onLook(version) {
        byId('notice').textContent = byId('notice').dataset.isLost ? '' : byId('notice').textContent
        delete byId('notice').dataset.isLost
        if (version !== shown) ask()
        shown = version
      }
    })
  } catch (error) {
    fail(error)
  }
}

/** @param {unknown} error */
function fail(error) {
  if (error instanceof Problem && error.status === 401) return signIn(error.message)
  byId('notice').textContent = error instanceof Error ? error.message : String(error)
  byId('notice').dataset.isLost = 'true'
}

/** @param {{ name: string, scope: string }} actor */
function showSignedIn({ name, scope }) {
  byId('identity').textContent = `${name} (${scope})`
  for (const id of ['content', 'sections', 'sign-out']) byId(id).hidden = false
  byId('sign-in').hidden = true
}

/** @param {string} reason */
function signIn(reason) {
  session?.abort()
  stopAsking()
  forgetKey()
  // Whoever signs in next sees nothing of what this key was shown.
  for (const id of ['cluster-state', 'actions', 'jobs-table', 'loads-table', 'rejects-table', 'answer']) {
    byId(id).replaceChildren()
  }
  delete byId('actions').dataset.actions
  for (const id of ['content', 'sections', 'sign-out']) byId(id).hidden = true
  byId('identity').textContent = ''
  byId('notice').textContent = ''
  byId('sign-in').hidden = false
  byId('sign-in-error').textContent = reason
  byId('key').focus()
}

byId('sign-in').addEventListener('submit', (event) => {
  event.preventDefault()
  const field = /** @type {HTMLInputElement} */ (byId('key'))
  keepKey(field.value.trim())
  field.value = ''
  open()
})
byId('sign-out').addEventListener('click', () => signIn(''))

open()
