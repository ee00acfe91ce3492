// Logs of Gateway as typed values (ETH-3). Logs come from an RPC endpoint: every length and range is checked
// here, and a form that Solidity would not have written is refused.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected, keyOf, parseHex, rejected } from "@causeway/primitives";
import type { Destination } from "../../codec/action.ts";
import { eventTopic, parseAddress, parseLastBytes, parseUint, wordAt } from "./abi.ts";

/** A log as JSON-RPC gives it: hex with 0x. */
export type RawLog = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
};

/** Value that came in; amounts in the token's unit, u128. `from` gets refunds as a ledger lock. */
export type Transfer = {
  readonly kind: "deposited" | "burned";
  readonly contract: Uint8Array;
  /** 20 bytes, zero for ETH. */
  readonly token: Uint8Array;
  readonly from: Uint8Array;
  readonly amount: bigint;
  readonly destination: Destination;
  readonly maxFee: bigint;
};

/** The message of the ring with this digest ran (ETH-4). Bit i of `failedBitmap` is set if item i became a claim. */
export type Executed = {
  readonly kind: "executed";
  readonly contract: Uint8Array;
  readonly nonce: number;
  readonly digest: Bytes32;
  readonly failedBitmap: bigint;
  readonly executor: Uint8Array;
};

/** Only `keyId` is valid from here on (ETH-1); nonce 0 at deployment and after a recovery. */
export type KeySet = {
  readonly kind: "key-set";
  readonly contract: Uint8Array;
  readonly nonce: number;
  readonly keyId: number;
  /** x of the key. */
  readonly key: Bytes32;
};

export type GatewayEvent = Transfer | Executed | KeySet;

type EventName = "deposited" | "burned" | "executed" | "keySet";

/** First topics of the events, for log filters. */
export const topics: Readonly<Record<EventName, Bytes32>> = {
  deposited: eventTopic("Deposited(address,address,uint256,bytes32,bytes,uint256)"),
  burned: eventTopic("Burned(address,address,uint256,bytes32,bytes,uint256)"),
  executed: eventTopic("Executed(uint64,bytes32,uint256,address)"),
  keySet: eventTopic("KeySet(uint64,uint32,bytes32)"),
};

/**
 * other-event: none of the four (claims, pauses; also of another contract: the caller compares `contract`);
 * bad-log: not what Gateway writes.
 */
export type BadLog = Rejected<"other-event" | "bad-log">;

/** 5 words and a payload of at most 128 bytes are the longest data of a known event. */
const dataSizeMax = 320;
/** FMT-8. */
const payloadSizeMax = 128;

type Parts = {
  readonly contract: Uint8Array;
  readonly topics: readonly Uint8Array[];
  readonly data: Uint8Array;
};

/** The event in a log, or why it is none. Never throws. */
export function parseLog(log: RawLog): GatewayEvent | BadLog {
  if (!Array.isArray(log.topics) || log.topics.length < 1 || log.topics.length > 4)
    return rejected("bad-log", "a log of Gateway has 1 to 4 topics");
  const words: Uint8Array[] = [];
  for (const topic of log.topics) {
    const word = parseHex(topic, { size: 32 });
    if (isRejected(word)) return rejected("bad-log", `topic: ${word.message}`);
    words.push(word);
  }
  const name = names.get(keyOf(words[0] as Uint8Array));
  if (name === undefined) return rejected("other-event", "not an event that the ledger reads");
  const contract = parseHex(log.address, { size: 20 });
  if (isRejected(contract)) return rejected("bad-log", `address: ${contract.message}`);
  const data = parseHex(log.data, { sizeMax: dataSizeMax });
  if (isRejected(data)) return rejected("bad-log", `data: ${data.message}`);
  const event = parsers[name]({ contract, topics: words, data });
  return isRejected(event) ? rejected("bad-log", `${name}: ${event.message}`) : event;
}

const names: ReadonlyMap<string, EventName> = new Map(
  (Object.keys(topics) as EventName[]).map((name) => [keyOf(topics[name]), name]),
);

const parsers = {
  deposited: (parts: Parts): Transfer | Rejected => parseTransfer("deposited", parts),
  burned: (parts: Parts): Transfer | Rejected => parseTransfer("burned", parts),
  executed: parseExecuted,
  keySet: parseKeySet,
} as const;

/** Data: amount, chain, offset of payload (4 words), maxFee, payload. */
function parseTransfer(kind: Transfer["kind"], parts: Parts): Transfer | Rejected {
  const { contract, topics, data } = parts;
  if (topics.length !== 3) return rejected("bad-log", "expected 3 topics");
  const token = parseAddress(topics[1]);
  if (isRejected(token)) return token;
  const from = parseAddress(topics[2]);
  if (isRejected(from)) return from;
  const amount = parseUint(wordAt(data, 0), 128);
  if (isRejected(amount)) return amount;
  if (amount === 0n) return rejected("bad-log", "amount is zero");
  const chain = wordAt(data, 1);
  if (chain === undefined) return rejected("bad-log", "data is too short");
  const offset = parseUint(wordAt(data, 2), 128);
  if (isRejected(offset)) return offset;
  if (offset !== 128n) return rejected("bad-log", "the payload is not at its place");
  const maxFee = parseUint(wordAt(data, 3), 128);
  if (isRejected(maxFee)) return maxFee;
  const payload = parseLastBytes(data, 4, payloadSizeMax);
  if (isRejected(payload)) return payload;
  return { kind, contract, token, from, amount, destination: { chain, payload }, maxFee };
}

function parseExecuted({ contract, topics, data }: Parts): Executed | Rejected {
  if (topics.length !== 3 || data.length !== 64)
    return rejected("bad-log", "expected 3 topics and 2 words");
  const nonce = parseUint(topics[1], 53);
  if (isRejected(nonce)) return nonce;
  const executor = parseAddress(topics[2]);
  if (isRejected(executor)) return executor;
  const failedBitmap = parseUint(wordAt(data, 1), 50);
  if (isRejected(failedBitmap)) return failedBitmap;
  const digest = wordAt(data, 0);
  if (digest === undefined) return rejected("bad-log", "no digest");
  return { kind: "executed", contract, nonce: Number(nonce), digest, failedBitmap, executor };
}

function parseKeySet({ contract, topics, data }: Parts): KeySet | Rejected {
  if (topics.length !== 2 || data.length !== 64)
    return rejected("bad-log", "expected 2 topics and 2 words");
  const nonce = parseUint(topics[1], 53);
  if (isRejected(nonce)) return nonce;
  const keyId = parseUint(wordAt(data, 0), 32);
  if (isRejected(keyId)) return keyId;
  const key = wordAt(data, 1);
  if (key === undefined) return rejected("bad-log", "data is too short");
  return { kind: "key-set", contract, nonce: Number(nonce), keyId: Number(keyId), key };
}
