// `causeway wallet send`: plans, shows what is signed (the same text that a browser wallet shows, FMT-6), asks, signs,
// submits, and waits until it is final.
import { Failure, isRejected, parseAmount, toHex, utf8 } from "@causeway/primitives";
import type { Planned, Wish } from "../client.ts";
import { planTransaction } from "../client.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { parseLock } from "../ledger/assets.ts";
import { typedData } from "../ledger/eip712.ts";
import { signTransaction } from "../ledger/sign.ts";
import { assetNamed, assetNames } from "./wallet-names.ts";
import type { Flags, Session, Terminal } from "./wallet-terminal.ts";
import { show } from "./wallet-terminal.ts";

/** Ledger time that a transaction has to come into a block, ms. */
const lifetimeMs = 5 * 60_000;
/** How long `send` waits for finality, ms. */
const waitMs = 60_000;

export async function send(flags: Flags, terminal: Terminal, session: Session): Promise<void> {
  return deliver(flags, terminal, session, await payment(flags, session));
}

/** What a transaction does; its coins, fee and life are {@link deliver}'s. */
export type Content = Pick<Wish, "payments" | "memo" | "others">;

/** Plans, shows, asks, signs, submits and waits, as far as the flags say. */
export async function deliver(
  flags: Flags,
  terminal: Terminal,
  session: Session,
  content: Content,
): Promise<void> {
  const planned = await plan(flags, session, content);
  const { genesis, account } = session;
  const { message, id } = planned.unsigned;
  if (flags["typed-data"] === true)
    return terminal.print(JSON.stringify(typedData(genesis, message)));
  const summary = {
    id: toHex(id),
    spends: message.spends,
    pays: message.pays,
    actions: message.actions,
    fee: message.fee,
    weight: planned.weight,
  };
  if (flags["dry-run"] === true) return tell(flags, terminal, { ...summary, status: "dry-run" });
  if (flags.json !== true) tell(flags, terminal, summary);
  if (flags.yes !== true && !(await terminal.confirm("Sign and send?")))
    return tell(flags, terminal, { id: toHex(id), status: "not-sent" });
  const signed = signTransaction(planned.unsigned, [account.secret], planned.known);
  if (isRejected(signed)) throw new Failure(signed.code, signed.message);
  const accepted = await session.client.submit(transactionCodec.encode(signed));
  if (isRejected(accepted)) throw new Failure(accepted.code, accepted.message);
  if (flags["no-wait"] === true)
    return tell(flags, terminal, { id: toHex(id), fee: message.fee, status: "pending" });
  tell(flags, terminal, {
    id: toHex(id),
    fee: message.fee,
    ...(await finality(terminal, session, id)),
  });
}

function tell(flags: Flags, terminal: Terminal, fields: Record<string, unknown>): void {
  if (flags.json === true) show(terminal, flags, fields);
  else for (const [name, value] of Object.entries(fields)) line(terminal, name, value);
}

function line(terminal: Terminal, name: string, value: unknown): void {
  const isList = Array.isArray(value);
  for (const entry of isList ? value : [value])
    terminal.print(`${isList ? "  " : ""}${name}: ${isPayment(entry) ? words(entry) : entry}`);
}

function isPayment(entry: unknown): entry is Parameters<typeof words>[0] {
  return typeof entry === "object" && entry !== null && "to" in entry;
}

const words = ({ to, amount }: { to: string; amount: string }): string => `${amount} to ${to}`;

async function payment(flags: Flags, { client, genesis }: Session): Promise<Content> {
  const { to, amount, memo } = flags;
  if (to === undefined || amount === undefined)
    throw new Failure("usage", "send needs --to and --amount");
  const lock = parseLock(to);
  if (isRejected(lock)) throw new Failure(lock.code, lock.message);
  const asset = assetNamed(genesis, flags.asset ?? "BTM");
  const names = await assetNames(client, genesis, [asset]);
  const value = parseAmount(amount, names.decimals(asset));
  if (isRejected(value)) throw new Failure(value.code, value.message);
  return {
    payments: [{ asset, amount: value, lock }],
    ...(memo !== undefined && { memo: utf8(memo) }),
  };
}

async function plan(
  flags: Flags,
  { client, genesis, account }: Session,
  content: Content,
): Promise<Planned> {
  const feeRate = flags["fee-rate"];
  if (feeRate !== undefined && !/^\d{1,18}$/.test(feeRate))
    throw new Failure("usage", "--fee-rate is a whole number of BTM units per 1,000 of weight");
  const feeAsset = flags["fee-asset"];
  const [{ time }, coins, estimate] = await Promise.all([
    client.status(),
    client.utxos(account.lock),
    feeRate === undefined ? client.ask("fees", {}) : undefined,
  ]);
  const rate = feeRate === undefined ? (estimate?.feeRate ?? 0n) : BigInt(feeRate);
  const planned = planTransaction(genesis, coins, {
    ...content,
    ...(feeAsset !== undefined && { feeAsset: assetNamed(genesis, feeAsset) }),
    feeRate: rate,
    change: account.lock,
    expires: time + Math.min(lifetimeMs, genesis.params.expiryMaxMs),
  });
  if (isRejected(planned)) throw new Failure(planned.code, planned.message);
  return planned;
}

async function finality(
  { nowMs }: Terminal,
  { client }: Session,
  id: Uint8Array,
): Promise<{ status: string; height?: number }> {
  const until = nowMs() + waitMs;
  while (nowMs() < until) {
    const { status, height } = await client.transaction(id);
    if (status === "final" && height !== undefined) return { status, height };
    await client.waitForHeight((await client.status()).height + 1, 5_000);
  }
  return { status: "pending" };
}
