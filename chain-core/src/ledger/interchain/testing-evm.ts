// The EVM side of the tests' world: events of a gateway contract as the committee would state them.
import { bigEndian, must, sha256, zero32 } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import type { Destination } from "../../codec/action.ts";
import { planId } from "../../interchain/messages.ts";
import { batches, plans } from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import {
  eventKinds,
  evmContractCodec,
  evmExecutedCodec,
  evmTransferCodec,
} from "../../interchain/statement.ts";
import { keys } from "../../ring/records.ts";
import type { Genesis } from "../genesis.ts";
import { testLock } from "../testing.ts";
import { subjectFor } from "./evm-message.ts";
import type { World } from "./testing.ts";
import { attest } from "./testing.ts";

export function evmOf(world: World): Genesis["evm"][number] {
  return must(world.genesis.evm[0], "EVM chain");
}

function evmEvent(world: World, kind: number, body: Uint8Array): ForeignEvent {
  world.serial += 1;
  const txid = sha256(bigEndian(world.serial, 8));
  return { kind, txid, index: 0, blockHash: sha256(txid), height: world.serial, body };
}

export function stateContract(world: World, keyId = 2): string | undefined {
  const { gateway, chain } = evmOf(world);
  const key = xOnly(must(keys.get(world.state, keyId), "key").groupPoint);
  const network = world.genesis.networkId;
  const body = evmContractCodec.encode({
    contract: gateway,
    codeHash: zero32,
    network,
    keyId,
    key,
  });
  return attest(world, [evmEvent(world, eventKinds.evmContract, body)], { chain });
}

export type TransferOptions = {
  readonly amount: bigint;
  readonly destination: Destination;
  readonly maxFee?: bigint;
  readonly token?: Uint8Array;
  readonly kind?: number;
};

export function transferEvent(world: World, options: TransferOptions): ForeignEvent {
  const { amount, destination, maxFee = 10_000n, kind = eventKinds.evmBurned } = options;
  const exported = must(world.genesis.assets[0]?.exports[0], "export").token;
  const token = options.token ?? exported;
  const from = testLock("carol").slice(12);
  const contract = evmOf(world).gateway;
  const body = evmTransferCodec.encode({ contract, token, from, amount, destination, maxFee });
  return evmEvent(world, kind, body);
}

/** Of the message that this key signed under the nonce; of one that no plan contains where there is none. */
export function executedEvent(
  world: World,
  nonce: number,
  failedBitmap = 0n,
  keyId = 2,
): ForeignEvent {
  const { gateway: contract, chain } = evmOf(world);
  const digest = digestUnder(world, { chain, nonce }, keyId) ?? sha256(bigEndian(nonce, 8));
  const rest = { executor: new Uint8Array(20).fill(7), gasUsed: 100_000, gasPrice: 1n };
  const fields = { contract, nonce, digest, failedBitmap, ...rest };
  return evmEvent(world, eventKinds.evmExecuted, evmExecutedCodec.encode(fields));
}

function digestUnder(
  { genesis, state }: World,
  place: { readonly chain: Uint8Array; readonly nonce: number },
  keyId: number,
): Uint8Array | undefined {
  const newest = plans.get(state, batches.get(state, place)?.plan ?? zero32);
  if (newest === undefined || newest.keyId === keyId) return newest?.txid;
  const id = planId(genesis.networkId, newest.kind, subjectFor(newest, keyId));
  return plans.get(state, id)?.txid;
}
