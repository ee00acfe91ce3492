// Who this signer is by the newest view, and what it wants to know of the ledger.
import { inForce } from "@causeway/chain-core/interchain";
import { equal, keyOf, must } from "@causeway/primitives";
import * as ceremony from "./ceremony/machine.ts";
import type { Viewed } from "./follow/machine.ts";
import { viewOf } from "./follow/machine.ts";
import type { Roster } from "./follow/roster.ts";
import type { Interest } from "./follow/wanted.ts";
import { heartbeatDue } from "./heartbeat.ts";
import { recordsOf } from "./outbox/machine.ts";
import type { State } from "./state.ts";
import { inFlight } from "./witness/machine.ts";
import type { Context, HostKey } from "./world.ts";

export function interestOf(context: Context, state: State): Interest {
  const self = selfOf(context, state);
  return {
    events: inFlight(state.witness),
    owner: state.roster.own?.owner,
    identities: state.roster.wanted,
    brought: recordsOf(state.outbox),
    needsCeremony: (key) => ceremony.needsCeremony(self, state.ceremony, key),
    needsDeals: (one) => ceremony.needsDeals(self, state.ceremony, one),
  };
}

/**
 * Older host keys that nothing in use was dealt to. Only by what is fresh, and when the newest host key is the registered
 * one: an older view may not know what was dealt to it (RNG-5).
 */
export function hostsOver(
  self: Self,
  { view, headerMs }: Pick<Viewed, "view" | "headerMs">,
  nowMs: number,
): HostKey[] {
  const [newest] = self.hosts;
  const member = self.roster.members.get(self.number);
  if (newest === undefined || member === undefined || member.epoch < 0) return [];
  if (nowMs - headerMs > self.genesis.params.finalityAgeMaxMs) return [];
  return equal(member.hostKey, newest.point) ? ceremony.hostsOver(self, view) : [];
}

/** The heart-beat that is due; who is out of service owes none. */
export function beatDue(
  { genesis, owner, number, roster }: Self,
  { view, headerMs }: Pick<Viewed, "view" | "headerMs">,
): ReturnType<typeof heartbeatDue> {
  if (roster.members.get(number)?.isActive !== true) return undefined;
  return heartbeatDue(view, { owner, params: genesis.params, ledgerMs: headerMs });
}

export type Self = Context & {
  readonly roster: Roster;
  readonly number: number;
  readonly owner: Uint8Array;
  readonly hostSecret: Uint8Array;
};

/** With the parameters and assets in force by the newest view (GOV-1), and who this signer is. */
export function selfOf(context: Context, state: State): Self {
  const { roster, follow: followed } = state;
  const genesis = inForce(viewOf(followed.records), context.genesis);
  const { number, owner } = roster.own ?? { number: -1, owner: new Uint8Array(0) };
  const hostKey = roster.members.get(number)?.hostKey;
  const hosts = context.hosts.filter(({ point }) => !state.erased.has(keyOf(point)));
  const registered = hosts.find(({ point }) => hostKey && equal(point, hostKey));
  const { secret: hostSecret } = registered ?? must(hosts[0], "host key");
  return { ...context, hosts, genesis, roster, number, owner, hostSecret };
}
