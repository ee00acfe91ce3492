// SPDX-License-Identifier: MIT
// A signature has one form, and every other form of it is refused (research: threshold 4.2).
pragma solidity 0.8.37;

import {Bip340} from "../src/Bip340.sol";
import {Signature} from "../src/IGateway.sol";
import {Ring} from "./lib/Ring.sol";

contract Bip340Test is Ring {
    function check(bytes32 message, Signature memory seal) private view returns (bool) {
        return Bip340.verify(seal.px, message, seal.rx, seal.ry, seal.s);
    }

    function testFuzz_aSignatureVerifiesUnderItsKeyAndMessageOnly(
        uint256 secret,
        bytes32 message,
        bytes32 other
    ) external {
        secret = within(secret, 1, N - 1);
        vm.assume(message != other);
        Signature memory seal = sealOf(secret, message);
        isTrue(check(message, seal), "refused");
        isTrue(Bip340.isKey(seal.px), "no key");
        isTrue(!check(other, seal), "another message");
        seal.px = keyOf(secret == 1 ? 2 : secret - 1);
        isTrue(!check(message, seal), "another key");
    }

    function testFuzz_noOtherFormOfASignatureIsAccepted(uint256 secret, bytes32 message) external {
        Signature memory seal = sealOf(within(secret, 1, N - 1), message);
        uint256 s = uint256(seal.s);
        unchecked {
            seal.s = bytes32(s + N);
        }
        isTrue(!check(message, seal), "s + n");
        seal.s = bytes32(N - s);
        isTrue(!check(message, seal), "n - s");
        seal.s = bytes32(addmod(s, 1, N));
        isTrue(!check(message, seal), "s + 1");
        seal.s = bytes32(s);
        bytes32 ry = seal.ry;
        seal.ry = bytes32(P - uint256(ry));
        isTrue(!check(message, seal), "odd y");
        seal.ry = bytes32(uint256(ry) ^ 2);
        isTrue(!check(message, seal), "another y");
        seal.ry = ry;
        seal.rx = bytes32(uint256(seal.rx) ^ 1);
        isTrue(!check(message, seal), "another x");
    }

    function testFuzz_theNegativeOfRIsRefused(uint256 secret, bytes32 message) external {
        // s' = -s + 2 e d gives -R under e; only the even root may pass.
        secret = within(secret, 1, N - 1);
        Signature memory seal = sealOf(secret, message);
        bytes memory challenge = abi.encodePacked(seal.rx, seal.px, message);
        uint256 e = uint256(tagged("BIP0340/challenge", challenge)) % N;
        uint256 d = vm.createWallet(secret).publicKeyY & 1 == 0 ? secret : N - secret;
        uint256 twice = mulmod(2, mulmod(e, d, N), N);
        seal.s = bytes32(addmod(twice, N - uint256(seal.s), N));
        isTrue(!check(message, seal), "even hint");
        seal.ry = bytes32(P - uint256(seal.ry));
        isTrue(!check(message, seal), "odd hint");
    }

    /// @dev What 2^80 tries would find: a hint that is no root, whose hash meets the address of R.
    function test_aHintOffTheCurveIsRefusedWhateverItsHash() external {
        bytes32 message = keccak256("m");
        Signature memory seal = sealOf(5, message);
        address r = address(uint160(uint256(keccak256(abi.encode(seal.rx, seal.ry)))));
        vm.mockCall(address(1), "", abi.encode(r));
        isTrue(check(message, seal), "the mocked ecrecover");
        bytes32 other = bytes32(uint256(seal.ry) ^ 2);
        r = address(uint160(uint256(keccak256(abi.encode(seal.rx, other)))));
        vm.mockCall(address(1), "", abi.encode(r));
        seal.ry = other;
        isTrue(!check(message, seal), "no root of the curve");
    }

    function test_numbersOutOfRangeAreRefused() external {
        bytes32 message = keccak256("m");
        Signature memory seal = sealOf(5, message);
        bytes32 s = seal.s;
        seal.s = 0;
        isTrue(!check(message, seal), "s = 0");
        seal.s = bytes32(N);
        isTrue(!check(message, seal), "s = n");
        seal.s = s;
        seal.px = 0;
        isTrue(!check(message, seal), "px = 0");
        seal.px = bytes32(N);
        isTrue(!check(message, seal), "px = n");
        seal = sealOf(5, message);
        seal.rx = bytes32(P);
        isTrue(!check(message, seal), "rx = p");
    }

    function testFuzz_garbageIsRefused(bytes32[5] memory words) external view {
        isTrue(!Bip340.verify(words[0], words[1], words[2], words[3], words[4]), "accepted");
    }

    function test_onlyTheXOfAPointBelowTheOrderIsAKey() external view {
        isTrue(Bip340.isKey(bytes32(uint256(1))), "x = 1 is on the curve");
        isTrue(!Bip340.isKey(bytes32(uint256(5))), "x = 5 is not");
        isTrue(!Bip340.isKey(0), "zero");
        isTrue(!Bip340.isKey(bytes32(N)), "n");
        isTrue(!Bip340.isKey(bytes32(type(uint256).max)), "2^256 - 1");
    }
}
