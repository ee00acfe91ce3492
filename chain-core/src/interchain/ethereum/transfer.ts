// The calls that users make on Gateway and tokens (ETH-3): send value to the ledger or through it.
import { amountMax, assert, concat } from "@causeway/primitives";
import type { Destination } from "../../codec/action.ts";
import { addressWord, bytesTail, selector, uintWord } from "./abi.ts";

/** What a user sends; amounts in the token's unit, at most u128. */
export type Send = {
  /** 20 bytes, zero for ETH (deposits only). */
  readonly token: Uint8Array;
  readonly amount: bigint;
  readonly destination: Destination;
  /** Most that the transfer may cost, in the token's unit. */
  readonly maxFee: bigint;
};

const fields = "(address,uint256,(bytes32,bytes),uint256)";
const selectors = {
  deposit: selector(`deposit${fields}`),
  burn: selector(`burn${fields}`),
  approve: selector("approve(address,uint256)"),
} as const;

function sendWords({ token, amount, destination, maxFee }: Send): Uint8Array {
  assert(amount > 0n && amount <= amountMax && maxFee >= 0n, "amounts are u128, above 0");
  const { chain, payload } = destination;
  assert(payload.length >= 1 && payload.length <= 128, "a payload has 1 to 128 bytes (FMT-8)");
  const head = concat(addressWord(token), uintWord(amount), uintWord(4 * 32), uintWord(maxFee));
  return concat(head, chain, uintWord(2 * 32), bytesTail(payload));
}

/** Calldata of `deposit`. For ETH the transaction's value is `amount`; an ERC-20 needs an allowance before. */
export function depositCall(send: Send): Uint8Array {
  return concat(selectors.deposit, sendWords(send));
}

/** Calldata of `burn`: the caller's wrapped tokens, without an allowance. */
export function burnCall(send: Send): Uint8Array {
  return concat(selectors.burn, sendWords(send));
}

/** Calldata of ERC-20's `approve`, sent to the token before a deposit of it. */
export function approveCall(spender: Uint8Array, amount: bigint): Uint8Array {
  return concat(selectors.approve, addressWord(spender), uintWord(amount));
}
