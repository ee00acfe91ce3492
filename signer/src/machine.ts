// The signer as one pure machine (DESIGN 4): step(context, state, input) -> [state, effects].
export type { Context, Effect, Event, Input, ProvedRecord } from "./world.ts";
