// `causeway stake ...`: what a holder does with BTM behind validators (STK). The wallet's account is the delegator.
import { equal, Failure, isRejected, must, parseAmount, toHex } from "@causeway/primitives";
import type { ExitEntry, NodeClient, StakeResult } from "../client.ts";
import type { Action } from "../codec/action.ts";
import { kinds, migrateCodec } from "../codec/action.ts";
import {
  claimCodec,
  delegateCodec,
  redelegateCodec,
  undelegateCodec,
  withdrawCodec,
} from "../codec/stake.ts";
import { btm, formatAsset, formatLock, parseLock } from "../ledger/assets.ts";
import { otherActionsMax } from "../ledger/execute.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { readProof } from "./migration-proof.ts";
import { connect, parseWords, session, wholeNumber } from "./wallet-cli.ts";
import { deliver } from "./wallet-send.ts";
import type { Session, Terminal } from "./wallet-terminal.ts";
import { show, options as walletOptions } from "./wallet-terminal.ts";

export const stakeUsage = `causeway stake delegate --validator ADDRESS --amount 100
causeway stake undelegate --validator ADDRESS --amount 100 | --all
causeway stake redelegate --from ADDRESS --to ADDRESS --amount 100 | --all
causeway stake claim [--validator ADDRESS] [--again]     rewards, of all validators by default; --again delegates them
causeway stake withdraw [--validator ADDRESS --epoch N]  what is unbonded, all by default
causeway stake migrate --proof FILE                      brings a balance of the older chain, whoever's it is
causeway stake show [--address ADDRESS]
causeway stake bonds                                     what stake answers for the ring's keys

Everywhere the wallet's flags: [--file FILE] [--node URL] [--account 0] [--dry-run] [--yes] [--no-wait] [--json]`;

const own = {
  validator: { type: "string" },
  from: { type: "string" },
  epoch: { type: "string" },
  proof: { type: "string" },
  address: { type: "string" },
  all: { type: "boolean", default: false },
  again: { type: "boolean", default: false },
} as const;
const options: typeof walletOptions & typeof own = { ...walletOptions, ...own };
type StakeFlags = ReturnType<typeof parseWords<typeof options>>["values"];

/** Throws Failure with a sentence; "usage" with the usage. */
export async function stakeCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values: flags, positionals } = parseWords(args, options, stakeUsage);
  const [command, ...rest] = positionals;
  if (rest.length > 0) throw new Failure("usage", `what is ${rest[0]}?\n\n${stakeUsage}`);
  const make = makers[command ?? ""];
  if (command === "show") return tell(flags, terminal);
  if (command === "bonds") return tellBonds(flags, terminal);
  if (make === undefined) throw new Failure("usage", stakeUsage);
  const opened = await session(flags, terminal);
  const others = await make(flags, opened);
  if (others.length === 0) throw new Failure("nothing-to-do", `there is nothing to ${command}`);
  return deliver(flags, terminal, opened, { payments: [], others });
}

type Maker = (flags: StakeFlags, session: Session) => Promise<readonly Action[]> | Action[];
const makers: Readonly<Record<string, Maker>> = {
  delegate: (flags, { account, genesis }) => {
    const validator = lockOf("validator", flags.validator);
    const amount = amountOf(genesis, "amount", flags.amount);
    const body = delegateCodec.encode({ delegator: account.lock, validator, amount });
    return [{ kind: kinds.delegate, body }];
  },
  undelegate: (flags, { account, genesis }) => {
    const validator = lockOf("validator", flags.validator);
    const amount = partOf(genesis, flags);
    const body = undelegateCodec.encode({ delegator: account.lock, validator, amount });
    return [{ kind: kinds.undelegate, body }];
  },
  redelegate: (flags, { account, genesis }) => {
    const [from, to] = [lockOf("from", flags.from), lockOf("to", flags.to)];
    const amount = partOf(genesis, flags);
    const body = redelegateCodec.encode({ delegator: account.lock, from, to, amount });
    return [{ kind: kinds.redelegate, body }];
  },
  claim: async (flags, { account, client }) => {
    const named = flags.validator && lockOf("validator", flags.validator);
    const { delegations } = await stakeFrom(client, account.lock);
    return delegations
      .filter(({ rewards, earned }) => rewards > 0n || earned.length > 0)
      .filter(({ validator }) => !named || equal(validator, named))
      .slice(0, otherActionsMax)
      .map(({ validator }) => {
        const body = { delegator: account.lock, validator, isDelegated: flags.again === true };
        return { kind: kinds.claim, body: claimCodec.encode(body) };
      });
  },
  migrate: ({ proof }) => {
    if (proof === undefined) throw new Failure("usage", "--proof is missing");
    return [{ kind: kinds.migrate, body: migrateCodec.encode(readProof(proof)) }];
  },
  withdraw: async (flags, { account, client }) => {
    const delegator = account.lock;
    const of = ({ validator, epoch }: { validator: Uint8Array; epoch: number }): Action => ({
      kind: kinds.withdraw,
      body: withdrawCodec.encode({ delegator, validator, epoch }),
    });
    if (flags.validator !== undefined) {
      const epoch = wholeNumber("epoch", flags.epoch, 2 ** 31);
      return [of({ validator: lockOf("validator", flags.validator), epoch })];
    }
    const { exits, time } = await stakeFrom(client, delegator);
    return exits
      .filter((exit) => isFree(exit, time))
      .slice(0, otherActionsMax)
      .map(of);
  },
};

export function lockOf(name: string, text: string | undefined): Uint8Array {
  if (text === undefined) throw new Failure("usage", `--${name} is missing`);
  const lock = parseLock(text);
  if (isRejected(lock)) throw new Failure(lock.code, `--${name}: ${lock.message}`);
  return lock;
}

/** BTM as people write it, in units. */
export function amountOf(genesis: Genesis, name: string, text: string | undefined): bigint {
  const decimals = 8;
  if (text === undefined) throw new Failure("usage", `--${name} is missing`);
  const amount = parseAmount(text, decimals);
  if (isRejected(amount)) throw new Failure(amount.code, `--${name}: ${amount.message}`);
  if (amount === 0n)
    throw new Failure("usage", `--${name} of ${formatAsset(genesis, btm(genesis), 0n)}`);
  return amount;
}

/** 0, which the ledger reads as all that can move, by `--all` alone. */
function partOf(genesis: Genesis, { all, amount }: StakeFlags): bigint {
  if (all !== true) return amountOf(genesis, "amount", amount);
  if (amount !== undefined) throw new Failure("usage", "--amount or --all");
  return 0n;
}

/** Of every validator; pages are of different blocks at worst, which each say true of one. */
async function stakeFrom(client: NodeClient, delegator: Uint8Array): Promise<StakeResult> {
  let after: number | undefined;
  let all: StakeResult | undefined;
  do {
    const page = await client.ask("stake", { delegator, after, limit: undefined });
    all = {
      ...page,
      delegations: [...(all?.delegations ?? []), ...page.delegations],
      exits: [...(all?.exits ?? []), ...page.exits],
      slashes: [...(all?.slashes ?? []), ...page.slashes],
    };
    after = page.more;
  } while (after !== undefined);
  return all;
}

async function tell(flags: StakeFlags, terminal: Terminal): Promise<void> {
  const named = flags.address === undefined ? undefined : lockOf("address", flags.address);
  const opened = named === undefined ? await session(flags, terminal) : undefined;
  const { client, genesis } = opened ?? (await connect(flags, terminal));
  const lock = named ?? opened?.account.lock ?? new Uint8Array(32);
  const { delegations, exits, slashes, time } = await stakeFrom(client, lock);
  const { yieldBps } = await client.ask("economy", {});
  const told = {
    address: formatLock(lock),
    yieldBps,
    delegations: delegations.map(({ validator, value, movable, rewards, earned }) => ({
      validator: formatLock(validator),
      value: String(value),
      movable: String(movable),
      rewards: String(rewards),
      earned: earned.map(({ asset, amount }) => formatAsset(genesis, asset, amount)),
    })),
    exits: exits.map((exit) => ({
      validator: formatLock(exit.validator),
      epoch: exit.epoch,
      value: String(exit.value),
      releaseAt: exit.releaseAt ?? null,
      boundBy: exit.boundBy ?? null,
      isFree: isFree(exit, time),
    })),
    slashes: slashes.map((one) => ({
      ...one,
      validator: formatLock(one.validator),
      amount: String(one.amount),
    })),
  };
  if (flags.json === true) return show(terminal, flags, told);
  const text = (amount: bigint): string => formatAsset(genesis, btm(genesis), amount);
  terminal.print(`${told.address}, a staked BTM earns ${(yieldBps / 100).toFixed(2)} % a year now`);
  for (const { validator, value, movable, rewards, earned } of delegations) {
    const paid = [text(rewards)];
    for (const { asset, amount } of earned) paid.push(formatAsset(genesis, asset, amount));
    terminal.print(
      `${formatLock(validator)}  ${text(value)}, of which ${text(movable)} can move; rewards ${paid.join(", ")}`,
    );
  }
  for (const exit of exits)
    terminal.print(
      `${formatLock(exit.validator)}  ${text(exit.value)} undelegated in epoch ${exit.epoch}, ${whenOf(exit, time)}`,
    );
  for (const { validator, epoch, cause, bps } of slashes)
    terminal.print(
      `${formatLock(validator)}  ${(bps / 100).toFixed(2)} % taken for ${cause} in epoch ${epoch}`,
    );
}

const isFree = ({ releaseAt, boundBy }: ExitEntry, time: number): boolean =>
  releaseAt !== undefined && releaseAt <= time && boundBy === undefined;

function whenOf({ releaseAt, boundBy }: ExitEntry, time: number): string {
  if (releaseAt === undefined) return "bound until its validator's epoch has ended";
  if (releaseAt > time) return `free at ${new Date(releaseAt).toISOString()}`;
  return boundBy === undefined ? "free" : `bound by key ${boundBy} of the ring`;
}

/** RNG-7: for anybody, without a wallet. */
async function tellBonds(flags: StakeFlags, terminal: Terminal): Promise<void> {
  const { client, genesis } = await connect(flags, terminal);
  const { custody, limit, loan, contracts, restitution, keys } = await client.ask("bonds", {});
  const told = {
    custody: String(custody),
    limit: limit === undefined ? null : String(limit),
    loan: loan === undefined ? null : String(loan),
    contracts: contracts.map((one) => ({
      chain: toHex(one.chain),
      custody: String(one.custody),
      limit: one.limit === undefined ? null : String(one.limit),
    })),
    restitution: String(restitution),
    keys: keys.map((key) => ({
      ...key,
      holders: key.holders.map(formatLock),
      bond: String(key.bond),
      boundUntil: key.boundUntil ?? null,
    })),
  };
  if (flags.json === true) return show(terminal, flags, told);
  const text = (amount: bigint): string => formatAsset(genesis, btm(genesis), amount);
  const most = limit === undefined ? "its bonds are not valued" : `at most ${limit} by its bonds`;
  terminal.print(`the ring holds ${custody} sats, ${most}; to restore: ${text(restitution)}`);
  for (const { chain, custody: held, limit: bound } of contracts) {
    const evm = must(
      genesis.evm.find((one) => equal(one.chain, chain)),
      "chain of the genesis",
    );
    const atMost = bound === undefined ? "not bounded" : `at most ${text(bound)}`;
    terminal.print(
      `the contract on chain ${evm.chainId} holds the worth of ${text(held)}, ${atMost}`,
    );
  }
  for (const { keyId, holders, bond, isLoaded, isForfeited, boundUntil } of keys) {
    const until =
      boundUntil === undefined ? "" : `, bound until ${new Date(boundUntil).toISOString()}`;
    const state = isForfeited ? "forfeited" : isLoaded ? "holds value" : `holds none${until}`;
    terminal.print(`key ${keyId}  ${text(bond)} of ${holders.length} validators, ${state}`);
  }
}
