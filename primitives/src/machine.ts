// The shape of every machine in the house: pure, total, run to completion.

/** State after an event, and the orders to the world that follow from it. */
export type Step<State, Effect> = readonly [state: State, effects: readonly Effect[]];

/** Nothing changes: what a duplicate or late event gets. */
export function stay<State>(state: State): Step<State, never> {
  return [state, []];
}
