/**
 * Asks once and gives the answer to everybody for `lifetime` ms; who asks meanwhile waits for the same answer. A failure
 * is not kept.
 */
export function remember<Answer>(lifetime: number, ask: () => Promise<Answer>): () => Promise<Answer> {
  let known: { answer: Promise<Answer>; until: number } | undefined
  return () => {
    if (known !== undefined && performance.now() < known.until) return known.answer
    const asked = { answer: ask(), until: performance.now() + lifetime }
    known = asked
    asked.answer.catch(() => {
      if (known === asked) known = undefined
    })
    return asked.answer
  }
}
