// Sends calls of the gateway contract from the operator's gas key: own nonces, EIP-1559 fees, and no transaction
// left stuck (building-blocks 6). Whatever another operator has done already is quiet success.
import { checkedTransport } from "@causeway/chain-core/foreign";
import type { EvmChain } from "@causeway/chain-core/interchain";
import type { Clock, Log, Transport } from "@causeway/primitives";
import { equal, Failure, RpcError, toHex } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { signEvmTransaction } from "../relay/evm-transaction.ts";

export type EvmSenderOptions = {
  readonly call: Transport;
  readonly chain: EvmChain;
  /** Gas key, 32 bytes. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
};

export type EvmSender = {
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** Sends the call of batch `batch` unless it would revert or is under way. Never rejects. */
  readonly execute: (batch: number, data: Uint8Array) => Promise<void>;
  /** Follows what was sent; sends what waits too long again, for more. Never rejects. */
  readonly tend: () => Promise<void>;
  /** Why the last call could not be sent, or empty. */
  readonly trouble: () => string;
};

/** A transaction that is not mined yet. Fees in wei per gas. */
type Sent = {
  readonly batch: number;
  readonly nonce: number;
  readonly data: Uint8Array;
  readonly gas: bigint;
  readonly priorityFee: bigint;
  readonly feeMax: bigint;
  /** Of every version: any of them may be mined. */
  readonly hashes: readonly string[];
  readonly sentAt: number;
};

/** Not mined for so long, it is sent again with an eighth more (nodes ask for a tenth). */
const stuckMs = 45_000;
/**
 * Most that raising comes to, as a multiple of what the node asks: a chain that stands still for an hour would
 * else make a tip of thousands, and take it when it goes on.
 */
const dearest = 32n;
/** Where a node knows no tip. */
const priorityFeeDefault: bigint = 1_000_000_000n;
/** ETH-2: a batch takes at most 5 M; a fifth more. */
const gasMax: bigint = 6_000_000n;

type Inside = {
  readonly options: EvmSenderOptions;
  readonly address: Uint8Array;
  readonly call: Transport;
  nonce: number | undefined;
  readonly sent: Map<number, Sent>;
  /** Since when somebody's transaction for a batch is seen to wait, by batch. */
  readonly waiting: Map<number, number>;
  trouble: string;
};

export function evmSender(options: EvmSenderOptions): EvmSender {
  const { chain, log } = options;
  const inside: Inside = {
    options,
    address: addressOf(publicPoint(options.secret)),
    call: checkedTransport(options.call, async (unchecked) => {
      const got = await unchecked("eth_chainId", []);
      if (BigInt(String(got)) !== chain.chainId)
        throw new Failure("wrong-chain", `the node serves chain ${got}, not ${chain.chainId}`);
    }),
    nonce: undefined,
    sent: new Map(),
    waiting: new Map(),
    trouble: "",
  };
  // One after the other: the nonce is one.
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    last = last.then(work).then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        inside.trouble = `${error.code}: ${error.message}`;
        log.warn("cannot send to Ethereum", { error });
      },
    );
    return last;
  };
  return {
    address: inside.address,
    execute: (batch, data) => inTurn(() => execute(inside, batch, data)),
    tend: () => inTurn(() => tend(inside)),
    trouble: () => inside.trouble,
  };
}

async function execute(inside: Inside, batch: number, data: Uint8Array): Promise<void> {
  const { log, clock } = inside.options;
  if (inside.sent.has(batch)) {
    await tend(inside);
    const before = inside.sent.get(batch);
    const isOther = before !== undefined && !equal(before.data, data);
    return isOther ? replace(inside, before, data) : undefined;
  }
  // On top of what waits: another operator's transaction for the same batch may be there.
  const gas = await estimate(inside, data, "pending");
  if (gas !== undefined) {
    const nonce = inside.nonce ?? (await count(inside, "pending"));
    await send(inside, { batch, nonce, data, gas, ...(await fees(inside)), hashes: [], sentAt: 0 });
    inside.nonce = nonce + 1;
    return;
  }
  const alone = await estimate(inside, data, "latest");
  const since = inside.waiting.get(batch) ?? clock.nowMs();
  inside.waiting.set(batch, since);
  if (alone === undefined || clock.nowMs() < since + stuckMs) {
    if (alone === undefined) inside.waiting.delete(batch);
    inside.trouble = "";
    const reason = alone === undefined ? "it would revert" : "it waits in the mempool";
    return log.info("another operator was faster with a batch", { batch, reason });
  }
  // What waits for it is stuck, maybe of an earlier run of this process: then it is replaced.
  const { priorityFee, feeMax } = await fees(inside);
  const nonce = await count(inside, "latest");
  const dear = { priorityFee: 2n * priorityFee, feeMax: 2n * feeMax };
  await send(inside, { batch, nonce, data, gas: alone, ...dear, hashes: [], sentAt: 0 });
  inside.nonce = undefined;
}

/** The same message signed by the contract's next key (ETH-1): what is under way is worth nothing any more. */
async function replace(inside: Inside, before: Sent, data: Uint8Array): Promise<void> {
  const gas = await estimate(inside, data, "latest");
  if (gas === undefined) return;
  const { priorityFee, feeMax } = await fees(inside);
  await send(inside, {
    ...before,
    data,
    gas,
    priorityFee: greater(priorityFee, raised(before.priorityFee)),
    feeMax: greater(feeMax, raised(before.feeMax)),
  });
}

/** Gas with a fifth to spare; undefined when the call reverts. */
async function estimate(
  inside: Inside,
  data: Uint8Array,
  at: "pending" | "latest",
): Promise<bigint | undefined> {
  const { gateway } = inside.options.chain;
  const request = { from: hex(inside.address), to: hex(gateway), data: hex(data) };
  try {
    const gas = quantity(await inside.call("eth_estimateGas", [request, at]));
    const ample = (gas * 6n) / 5n;
    return ample < gasMax ? ample : gasMax;
  } catch (error) {
    if (error instanceof RpcError && error.code === "rpc-error" && isRevert(error))
      return undefined;
    throw error;
  }
}

function isRevert({ rpcCode, message }: RpcError): boolean {
  return rpcCode === 3 || /revert/i.test(message);
}

async function fees(inside: Inside): Promise<{ priorityFee: bigint; feeMax: bigint }> {
  const block = (await inside.call("eth_getBlockByNumber", ["latest", false])) as {
    readonly baseFeePerGas?: unknown;
  } | null;
  const base = quantity(block?.baseFeePerGas ?? "0x0");
  let priorityFee = priorityFeeDefault;
  try {
    priorityFee = quantity(await inside.call("eth_maxPriorityFeePerGas", []));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  }
  // The base fee at most doubles in six full blocks.
  return { priorityFee, feeMax: 2n * base + priorityFee };
}

async function count(inside: Inside, at: "pending" | "latest"): Promise<number> {
  return Number(quantity(await inside.call("eth_getTransactionCount", [hex(inside.address), at])));
}

async function send(inside: Inside, sent: Sent): Promise<void> {
  const { chain, secret, clock, log } = inside.options;
  const { batch, nonce, gas, priorityFee, feeMax, data } = sent;
  const to = chain.gateway;
  const fields = { chainId: chain.chainId, nonce, priorityFee, feeMax, gas, to, data };
  const { bytes, hash } = signEvmTransaction(fields, secret);
  try {
    await inside.call("eth_sendRawTransaction", [hex(bytes)]);
  } catch (error) {
    const isKnown =
      error instanceof RpcError && /already known|already imported/i.test(error.message);
    // The key was used elsewhere, or a transaction of an earlier run was mined: count again next time.
    inside.nonce = undefined;
    if (!isKnown) throw error;
  }
  inside.trouble = "";
  inside.waiting.delete(batch);
  const hashes = [...new Set([...sent.hashes, hex(hash)])];
  inside.sent.set(batch, { ...sent, hashes, sentAt: clock.nowMs() });
  log.info("batch sent to Ethereum", { batch, nonce, hash: hex(hash), gas });
}

async function tend(inside: Inside): Promise<void> {
  const { clock, log } = inside.options;
  for (const sent of inside.sent.values()) {
    const mined = await receiptOf(inside, sent);
    if (mined !== undefined) {
      inside.sent.delete(sent.batch);
      const succeeded = quantity(mined.status) === 1n;
      log.info("batch transaction mined", { batch: sent.batch, nonce: sent.nonce, succeeded });
      continue;
    }
    if ((await count(inside, "latest")) > sent.nonce) {
      // Its nonce was used by something else.
      inside.sent.delete(sent.batch);
      inside.nonce = undefined;
      continue;
    }
    if (clock.nowMs() < sent.sentAt + stuckMs) continue;
    const { priorityFee, feeMax } = await fees(inside);
    const dear = {
      priorityFee: greater(priorityFee, raised(sent.priorityFee)),
      feeMax: greater(feeMax, raised(sent.feeMax)),
    };
    const isTooDear = dear.priorityFee > dearest * greater(priorityFee, priorityFeeDefault);
    await send(inside, isTooDear ? sent : { ...sent, ...dear });
  }
}

async function receiptOf(
  inside: Inside,
  { hashes }: Sent,
): Promise<{ readonly status: unknown } | undefined> {
  for (const hash of hashes) {
    const receipt = await inside.call("eth_getTransactionReceipt", [hash]);
    if (typeof receipt === "object" && receipt !== null)
      return receipt as { readonly status: unknown };
  }
  return undefined;
}

function raised(fee: bigint): bigint {
  return fee + fee / 8n + 1n;
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function hex(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}

/** A JSON-RPC quantity. */
function quantity(value: unknown): bigint {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(value))
    throw new Failure("bad-response", "the Ethereum node answered without a number");
  return BigInt(value);
}
