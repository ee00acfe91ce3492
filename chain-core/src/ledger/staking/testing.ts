// For tests only: the ledger's state under single staking actions and the turns of epochs, without blocks.
import type { Bytes32 } from "@causeway/primitives";
import { bytes32, isRejected, keyOf } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { ValidatorKeys } from "../../codec/stake.ts";
import { blockContext } from "../context.ts";
import { ledgerEnv } from "../env.ts";
import { epochOf } from "../epoch/epochs.ts";
import { epochEndBlock } from "../epoch/turn.ts";
import type { Genesis } from "../genesis.ts";
import { genesisState } from "../genesis-state.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import { keyRoleNames, keyRoles, signPossession } from "../possession.ts";
import type { ActionContext } from "../rule.ts";
import type { AnyRule } from "../rules.ts";
import { testBls, testHash, testSecret } from "../testing.ts";

export type StakeWorld = {
  readonly genesis: Genesis;
  readonly state: MemoryState;
  height: number;
  time: number;
};

export function stakeWorld(genesis: Genesis): StakeWorld {
  return { genesis, state: memoryState(genesisState(genesis)), height: 1, time: genesis.time };
}

export function contextOf({ genesis, state, height, time }: StakeWorld): ActionContext {
  const block = blockContext(ledgerEnv(genesis, testBls), state, { height, time });
  return { ...block, txid: testHash(genesis.networkId, height), position: 0 };
}

const bytesOf = ({ state }: StakeWorld): string[] =>
  [...state.entries()].map(({ key, value }) => `${keyOf(key)}=${keyOf(value)}`).sort();

/** The code of a refusal, which has changed nothing; undefined for what was done, in a block of its own. */
export function act(world: StakeWorld, rule: AnyRule, body: unknown): string | undefined {
  world.height += 1;
  world.time += 1;
  const before = bytesOf(world);
  const context = contextOf(world);
  const bad = rule.validate(context, body);
  if (bad === undefined) rule.apply(context, body);
  else if (isRejected(bad) && bytesOf(world).join() !== before.join())
    throw new Error(`${bad.code} changed the state`);
  return bad?.code;
}

/** Ends so many epochs, each with one block at its end. */
export function runEpochs(world: StakeWorld, count: number): void {
  for (let i = 0; i < count; i++) {
    world.height += 1;
    world.time = epochOf(world.state).endsAt;
    epochEndBlock(contextOf(world));
  }
}

/** Keys of somebody who is not in the genesis, named by `what`, with proofs for `owner`. */
export function testKeys(
  genesis: Genesis,
  owner: Uint8Array,
  what: string,
): { keys: ValidatorKeys; proofs: ValidatorKeys } {
  const of = (role: string): Bytes32 => testSecret(`${what} ${role}`);
  const each = (make: (role: (typeof keyRoleNames)[number]) => Uint8Array): ValidatorKeys =>
    Object.fromEntries(keyRoleNames.map((role) => [role, make(role)])) as ValidatorKeys;
  const keys = each((role) =>
    keyRoles[role].scheme === "bls" ? testBls.publicKey(of(role)) : publicPoint(of(role)),
  );
  const { networkId } = genesis;
  const proofs = each((role) =>
    signPossession(networkId, { owner: bytes32(owner), ...keys }, role, of(role), testBls),
  );
  return { keys, proofs };
}
