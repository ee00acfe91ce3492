// SPDX-License-Identifier: MIT
// One payment of a batch, by a call that its recipient can neither make revert, nor make expensive
// by what it returns, nor be starved of gas in (ETH-2).
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IGateway, IWrappedToken} from "./IGateway.sol";

library Payout {
    uint256 internal constant MINT = 1;
    uint256 internal constant RELEASE_ETH = 2;
    uint256 internal constant RELEASE_ERC20 = 3;

    /// @notice Runs item (kind, token, to, amount) with `stipend` gas, or with all gas if it is 0.
    /// True if it was paid; reverts if the call could be short of gas.
    /// @param wrapped whether the token is minted here: only such a one is minted, only others are
    /// released.
    function run(
        uint256 kind,
        bool wrapped,
        address token,
        address to,
        uint256 amount,
        uint256 stipend,
        uint256 overhead
    ) internal returns (bool) {
        if (kind == RELEASE_ETH) {
            return token == address(0) && _call(to, amount, 0, 0, stipend, overhead) != 0;
        }
        bytes4 selector;
        if (kind == MINT && wrapped) selector = IWrappedToken.mint.selector;
        else if (kind == RELEASE_ERC20 && !wrapped) selector = IERC20.transfer.selector;
        else return false;
        // No code, no payment: a call to nothing succeeds (also for ETH's token, zero).
        if (token.code.length == 0) return false;
        uint256 data;
        assembly ("memory-safe") {
            // Beyond the free pointer, not kept: nothing allocates before the call.
            data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 4), to)
            mstore(add(data, 36), amount)
        }
        uint256 answer = _call(token, 0, data, 68, stipend, overhead);
        // Old tokens answer nothing; others answer true; a wrapped token's mint answers nothing.
        return answer == 2 || (answer == 1 && kind == RELEASE_ERC20);
    }

    /// @dev 0 the call failed or answered other than below, 1 it answered the word 1, 2 it answered
    /// nothing. At most one word of the answer is copied: Solidity would copy all, at our cost.
    function _call(
        address target,
        uint256 value,
        uint256 data,
        uint256 size,
        uint256 stipend,
        uint256 overhead
    ) private returns (uint256 answer) {
        // EIP-150 silently gives less than was asked for when less is left: check right before the
        // call.
        uint256 left = gasleft();
        if (left - left / 64 < stipend + overhead) revert IGateway.NotEnoughGas();
        assembly ("memory-safe") {
            let allowed := stipend
            if iszero(allowed) { allowed := gas() }
            let ok := call(allowed, target, value, data, size, 0, 32)
            if ok {
                switch returndatasize()
                case 0 { answer := 2 }
                default {
                    // ETH's recipient may answer what it likes; a token must say true.
                    if or(iszero(size), and(gt(returndatasize(), 31), eq(mload(0), 1))) {
                        answer := 1
                    }
                }
            }
        }
    }
}
