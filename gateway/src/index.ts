// The door for tools and simulations: the relay as a machine, the portal as functions. Processes start main.ts.

export type { Portal, Reply, Request } from "./portal/portal.ts";
export { handle } from "./portal/routes.ts";
export * from "./ports.ts";
export * as relay from "./relay/machine.ts";
export { readView } from "./relay/view.ts";
