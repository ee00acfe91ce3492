// `causeway govern status`: what governs the network, what changes are on their way, and what guardians did.
import { toHex } from "@causeway/primitives";
import { readState } from "../client.ts";
import { epochOf } from "../ledger/epoch/epochs.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { governSequence } from "../ledger/governance/approval.ts";
import { pendingOf } from "../ledger/governance/changes.ts";
import { inForce } from "../ledger/governance/in-force.ts";
import { directions, restrictionsOf } from "../ledger/governance/restrictions.ts";
import { setParameterRule } from "../ledger/governance/set-parameter.ts";
import { protocolVersion } from "../ledger/governance/version.ts";
import type { StateReader } from "../ledger/state.ts";
import type { GovernFlags } from "./govern-files.ts";
import type { Network } from "./govern-propose.ts";
import type { Terminal } from "./wallet-terminal.ts";
import { show } from "./wallet-terminal.ts";

export async function status(
  flags: GovernFlags,
  terminal: Terminal,
  { client, genesis }: Network,
): Promise<void> {
  const { time } = await client.status();
  const found = await readState(client, (state) => describe(state, genesis, time));
  if (flags.json === true) return show(terminal, flags, found);
  for (const [name, value] of Object.entries(found)) {
    const lines: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (lines.length === 0) terminal.print(`${name}: none`);
    for (const line of lines) terminal.print(`${name}: ${worded(line)}`);
  }
}

/** The fields of an entry in one line. */
function worded(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const words = Object.entries(value).map(([name, of]) => `${name} ${String(of)}`);
  return words.join(", ");
}

/** Times are ledger time in ms. */
function describe(state: StateReader, genesis: Genesis, time: number): Record<string, unknown> {
  const { number, endsAt } = epochOf(state);
  const { current, next, epoch } = protocolVersion(state);
  const now = inForce(state, genesis);
  const known = new Set(genesis.assets.map(({ symbol }) => symbol));
  const { slowUntil, pauses } = restrictionsOf(state);
  return {
    time,
    epoch: { number, endsAt },
    sequence: governSequence(state),
    version: { current, ...(next > 0 && { next, fromEpoch: epoch }) },
    changed: Object.entries(now.params)
      .map(([name, value]) => ({ name, value, genesis: Reflect.get(genesis.params, name) }))
      .filter((one) => one.value !== one.genesis)
      .map((one) => ({ name: one.name, value: `${one.value}`, genesis: `${one.genesis}` })),
    added: now.assets.filter(({ symbol }) => !known.has(symbol)).map(({ symbol }) => symbol),
    pending: pendingOf(state).map((change) => ({
      text: setParameterRule.describe?.(genesis, { change, approval: none }),
      notBefore: change.notBefore,
    })),
    slowUntil: slowUntil > time ? slowUntil : 0,
    pauses: pauses
      .filter(({ until }) => until > time)
      .map(({ chain, direction, until }) => ({
        chain: toHex(chain),
        direction: direction === directions.in ? "in" : "out",
        until,
      })),
  };
}

const none = {
  sequence: 0,
  epoch: 0,
  bitmap: new Uint8Array(0),
  signature: new Uint8Array(96),
} as const;
