// What the ledger would say of a proposal now, and what it would change: the ledger's own rules over its newest state.
import type { Bls, Rejected } from "@causeway/primitives";
import { isRejected, zero32 } from "@causeway/primitives";
import type { Action } from "../codec/action.ts";
import { kinds } from "../codec/action.ts";
import { bitmapOf } from "../codec/bitmap.ts";
import type { Committee } from "../codec/block.ts";
import { quorum } from "../consensus/quorum.ts";
import { blockContext } from "../ledger/context.ts";
import { ledgerEnv } from "../ledger/env.ts";
import { committeeAt, epochOf } from "../ledger/epoch/epochs.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { isLoosening } from "../ledger/governance/changes.ts";
import { changeCodec } from "../ledger/governance/set-parameter.ts";
import { overlay } from "../ledger/overlay.ts";
import { readParameters } from "../ledger/parameters.ts";
import type { ActionContext } from "../ledger/rule.ts";
import { ruleOf } from "../ledger/rules.ts";
import type { StateReader } from "../ledger/state.ts";
import type { Proposal } from "./proposal.ts";
import { actionOf } from "./proposal.ts";

/** `height` and `time` (ms) are those of the block that the action would be in. */
export type At = { readonly height: number; readonly time: number };

/** Refusals that more or better signatures would end. */
const aboutSignatures: readonly string[] = ["no-quorum", "not-enough", "bad-signature"];

/** Why the ledger would refuse the action in the next block; `genesis` is the file's. */
export function refusalOf(
  state: StateReader,
  genesis: Genesis,
  bls: Bls,
  at: At,
  { kind, body }: Action,
): Rejected | undefined {
  const block = blockContext(ledgerEnv(genesis, bls), overlay(state), at);
  const context: ActionContext = { ...block, txid: zero32, position: 0 };
  const rule = ruleOf(kind);
  return rule?.validate(context, rule.codec.decode(body));
}

/** The same of a proposal that nobody has approved yet. */
export function objection(
  state: StateReader,
  genesis: Genesis,
  bls: Bls,
  at: At,
  proposal: Proposal,
): Rejected | undefined {
  const { sequence, epoch, guardian } = proposal;
  const members = committeeAt(state, epoch)?.members.length ?? 0;
  const approval = {
    sequence,
    epoch,
    bitmap: bitmapOf([], members),
    signature: new Uint8Array(96),
  };
  const guardians = guardian === undefined ? [] : [{ guardian, signature: new Uint8Array(65) }];
  const draft = actionOf(proposal, { approval, guardians });
  const refused = refusalOf(state, genesis, bls, at, draft);
  return refused === undefined || aboutSignatures.includes(refused.code) ? undefined : refused;
}

/** What a reader should know besides the sentence: the value now, and when the change takes effect. */
export function consequences(state: StateReader, genesis: Genesis, proposal: Proposal): string[] {
  const lines = [`the running epoch is ${epochOf(state).number}`];
  if (proposal.kind !== kinds.setParameter) return lines;
  const change = changeCodec.parse(proposal.subject);
  if (isRejected(change)) return lines;
  const params = readParameters(state, genesis.params);
  const name = new TextDecoder().decode(change.key);
  if (Object.hasOwn(params, name))
    lines.push(`${name} is ${params[name as keyof typeof params]} now`);
  if (change.value.length > 0 && isLoosening(state, genesis, change))
    lines.push(
      `it loosens a limit: it waits ${params.govDelayMs / 1_000} s at least after it is final`,
    );
  return lines;
}

export type Power = { readonly power: bigint; readonly total: bigint; readonly needed: bigint };

/** Of these seats, and what the committee's quorum is. */
export function powerOf({ members }: Committee, seats: readonly number[]): Power {
  const sum = (of: Committee["members"]): bigint => of.reduce((all, { power }) => all + power, 0n);
  const total = sum(members);
  return {
    power: sum(members.filter((_, seat) => seats.includes(seat))),
    total,
    needed: quorum(total),
  };
}
