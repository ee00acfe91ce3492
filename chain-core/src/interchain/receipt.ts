// A transfer as people read it: every state with its time, why it is where it is, and what happens next. Pure
// functions of the ledger's records.
import { equal } from "@causeway/primitives";
import type { Genesis, Params } from "../ledger/genesis.ts";
import { reclaimDelay } from "./bitcoin/scripts.ts";
import type { Inbound, Plan, Withdrawal } from "./records.ts";
import {
  inboundReasons,
  inboundStatus,
  planStatus,
  withdrawalReasons,
  withdrawalStatus,
} from "./records.ts";

/** One state that a transfer went through; `at` is ledger time in ms, absent while it lies ahead. */
export type ReceiptStep = {
  readonly state: string;
  readonly at?: number;
  readonly detail: string;
};

export type Receipt = {
  readonly kind: "deposit" | "withdrawal";
  readonly status: string;
  /** A sentence where something holds it up or ended it otherwise than wished; empty if nothing does. */
  readonly reason: string;
  readonly steps: readonly ReceiptStep[];
  /** What happens next, and who must do something; empty when it is done. */
  readonly next: string;
};

type Named<Values extends Record<string, number>> = Readonly<Record<Values[keyof Values], string>>;

const inboundNames: Named<typeof inboundStatus> = {
  [inboundStatus.waiting]: "waiting",
  [inboundStatus.held]: "held",
  [inboundStatus.minted]: "credited",
  [inboundStatus.forwarded]: "forwarded",
  [inboundStatus.refunded]: "refunded",
  [inboundStatus.reclaim]: "reclaim",
};

const withdrawalNames: Named<typeof withdrawalStatus> = {
  [withdrawalStatus.queued]: "queued",
  [withdrawalStatus.planned]: "planned",
  [withdrawalStatus.signed]: "signed",
  [withdrawalStatus.settled]: "paid",
  [withdrawalStatus.refunded]: "refunded",
};

/** The word for an {@link inboundStatus}. */
export function inboundName(status: number): string {
  return inboundNames[status as keyof typeof inboundNames] ?? "unknown";
}

/** The word for a {@link withdrawalStatus}. */
export function withdrawalName(status: number): string {
  return withdrawalNames[status as keyof typeof withdrawalNames] ?? "unknown";
}

/** Why an inbound event is held, returned or left to its owner; empty for reason 0. */
export function inboundReason(reason: number, params: Params): string {
  const sentences: Readonly<Record<number, string>> = {
    [inboundReasons.belowMinimum]: `The amount is too small: at least ${params.depositMin} sats, and the fees.`,
    [inboundReasons.aboveCap]: `The amount is above the cap of ${params.depositCap} sats.`,
    [inboundReasons.feeAboveMaximum]: "The fee is above the maximum that the address states.",
    [inboundReasons.badDestination]: "The destination cannot be paid.",
    [inboundReasons.loanLimit]:
      "The value that may be credited before its sweep is used up, so this waits for its sweep.",
    [inboundReasons.oldKey]: "The address belongs to an earlier key, so this waits for its sweep.",
    [inboundReasons.halted]: "The asset is halted until its backing is restored.",
    [inboundReasons.nearReclaim]:
      "The deposit could soon be taken back, so it is credited when its sweep is final.",
    [inboundReasons.reclaimed]: "The owner took the coins back.",
    [inboundReasons.queueFull]: "Too many withdrawals wait for the chain that it goes to.",
    [inboundReasons.paused]: "What comes in from its chain is paused.",
    [inboundReasons.keyExpired]: "The address was past its last day when the payment was seen.",
    [inboundReasons.bondLimit]: "The ring holds as much as its bonds answer for.",
    [inboundReasons.slow]: "A guardian has slowed transfers down, and this is a large one.",
  };
  return sentences[reason] ?? "";
}

/** Blocks of the ledger's own header chain on top of a deposit, itself included; 0 when it is not there. */
export type DepositView = {
  readonly genesis: Genesis;
  readonly params: Params;
  readonly depth: number;
};

/** The receipt of an inbound event, and of the withdrawal that it opened, if any. */
export function inboundReceipt(inbound: Inbound, view: DepositView, onward?: Receipt): Receipt {
  const { status, reason, statedAt, updatedAt, amount, credited, fee } = inbound;
  const { params } = view;
  const steps: ReceiptStep[] = [
    { state: "stated", at: statedAt, detail: `${amount} seen by the committee's quorum` },
  ];
  const isDone = status >= inboundStatus.minted;
  if (isDone || status === inboundStatus.held)
    steps.push({
      state: inboundName(status),
      at: updatedAt,
      detail: isDone && credited > 0n ? `${credited} after a fee of ${fee}` : "",
    });
  return {
    kind: "deposit",
    status: inboundName(status),
    reason: inboundReason(reason, params),
    steps: [...steps, ...(onward?.steps ?? [])],
    next: onward?.next ?? nextOfInbound(inbound, view),
  };
}

function nextOfInbound(
  { chain, status, reason }: Inbound,
  { genesis, params, depth }: DepositView,
): string {
  switch (status) {
    case inboundStatus.waiting:
      if (!equal(chain, genesis.bitcoin.chain))
        return "Credited when the ledger has heard what happened on its chain before.";
      return depth === 0
        ? "Its block is not on the best chain; it is credited when it is mined again."
        : `Confirmation ${depth} of ${params.creditDepth}.`;
    case inboundStatus.held:
      if (reason === inboundReasons.queueFull) return "Forwarded when there is room.";
      if (reason === inboundReasons.paused) return "Credited when the pause ends.";
      if (reason === inboundReasons.slow) return "Credited when slow mode ends.";
      if (reason === inboundReasons.bondLimit && !equal(chain, genesis.bitcoin.chain))
        return "Credited when there is room.";
      if (reason === inboundReasons.bondLimit)
        return `Credited when there is room; until then your reclaim key can take it back, ${reclaimDelay} blocks after the deposit.`;
      return reason === inboundReasons.halted
        ? "Credited when the asset goes on."
        : `Credited when its sweep has ${params.finalDepth} confirmations.`;
    case inboundStatus.reclaim:
      return reason === inboundReasons.reclaimed
        ? ""
        : `Take the coins back with your reclaim key, ${reclaimDelay} blocks after the deposit.`;
    case inboundStatus.forwarded:
      return "It is in the queue of withdrawals.";
    default:
      return "";
  }
}

/** What a withdrawal's receipt needs besides: its place in the queue from 0, and its plan. */
export type WithdrawalView = {
  readonly params: Params;
  readonly position?: number;
  readonly plan?: Plan;
  /** Paid on Bitcoin, else on an EVM chain. */
  readonly isBitcoin: boolean;
};

/** The receipt of a withdrawal. */
export function withdrawalReceipt(withdrawal: Withdrawal, view: WithdrawalView): Receipt {
  const { status, amount, fee, createdAt, updatedAt, reason } = withdrawal;
  const { plan } = view;
  const steps: ReceiptStep[] = [
    { state: "queued", at: createdAt, detail: `${amount} in the queue` },
  ];
  if (plan !== undefined)
    steps.push({ state: "planned", at: plan.plannedAt, detail: `a fee of ${fee}` });
  if (plan !== undefined && plan.status !== planStatus.planned)
    steps.push({ state: "signed", at: plan.updatedAt, detail: "signed by the ring" });
  const isEnded = status === withdrawalStatus.settled || status === withdrawalStatus.refunded;
  if (isEnded)
    steps.push({
      state: withdrawalName(status),
      at: updatedAt,
      detail: status === withdrawalStatus.settled ? `${amount - fee} paid` : `${amount} returned`,
    });
  return {
    kind: "withdrawal",
    status: withdrawalName(status),
    reason: withdrawalReason(reason),
    steps,
    next: nextOfWithdrawal(withdrawal, view),
  };
}

function withdrawalReason(reason: number): string {
  const sentences: Readonly<Record<number, string>> = {
    [withdrawalReasons.claim]: "The payment failed at the recipient and waits at the contract.",
    [withdrawalReasons.bondLimit]: "The contract holds as much as the ring's bonds answer for.",
  };
  return sentences[reason] ?? "";
}

function nextOfWithdrawal(
  { status, reason }: Withdrawal,
  { params, position, isBitcoin }: WithdrawalView,
): string {
  if (reason === withdrawalReasons.claim) return "Anybody can execute the claim.";
  switch (status) {
    case withdrawalStatus.queued:
      if (reason === withdrawalReasons.bondLimit) return "Planned when there is room.";
      return `Position ${(position ?? 0) + 1} in the queue; planned as soon as coins are free.`;
    case withdrawalStatus.planned:
      return "The ring is signing.";
    case withdrawalStatus.signed:
      return isBitcoin
        ? `Paid when the transaction has ${params.finalDepth} confirmations.`
        : "Any relay submits the batch.";
    default:
      return "";
  }
}
