// SPDX-License-Identifier: MIT
// What comes in is told as it arrived (ETH-3).
pragma solidity 0.8.37;

import {Destination, IGateway, TokenSetting} from "../src/IGateway.sol";
import {Fixture} from "./lib/Fixture.sol";
import {Caller} from "./lib/Recipients.sol";
import {FeeToken, HookToken, PlainToken, SilentToken} from "./lib/Tokens.sol";

contract DepositTest is Fixture {
    function setUp() public override {
        super.setUp();
        vm.deal(USER, 1e30 ether);
        run(1, item(MINT, address(wrapped), USER, 1000));
    }

    function list(address token, uint64 nonce) private {
        setToken(nonce, TokenSetting(token, 1, CAPACITY));
        vm.warp(block.timestamp + 7 days);
        gateway.applyToken(token);
    }

    function fund(PlainToken token, uint256 amount) private {
        token.give(USER, amount);
        vm.prank(USER);
        token.approve(address(gateway), type(uint256).max);
    }

    function testFuzz_ethIsTakenAndTold(
        uint128 amount,
        uint128 fee,
        bytes32 chain,
        bytes memory payload
    ) external {
        vm.assume(amount > 0 && amount < 1e30 && payload.length > 0);
        if (payload.length > 128) payload = abi.encode(payload.length);
        vm.expectEmit(true, true, true, true, address(gateway));
        emit IGateway.Deposited(ETH, USER, amount, chain, payload, fee);
        vm.prank(USER);
        gateway.deposit{value: amount}(ETH, amount, Destination(chain, payload), fee);
        eq(address(gateway).balance, amount);
    }

    function test_valueAndAmountMustAgree() external {
        vm.startPrank(USER);
        vm.expectRevert(IGateway.BadAmount.selector);
        gateway.deposit{value: 1}(ETH, 2, toLedger(), 0);
        vm.expectRevert(IGateway.BadAmount.selector);
        gateway.deposit{value: 0}(ETH, 0, toLedger(), 0);
        vm.expectRevert(IGateway.BadAmount.selector);
        gateway.deposit{value: 1}(address(foreign), 1, toLedger(), 0);
        vm.expectRevert(IGateway.BadAmount.selector);
        gateway.deposit{value: 1}(ETH, 1, toLedger(), 1 << 128);
        vm.expectRevert(IGateway.BadAmount.selector);
        gateway.deposit(address(foreign), 1 << 128, toLedger(), 0);
        (bool ok,) = address(gateway).call{value: 1}("");
        isTrue(!ok, "took ETH without a word");
    }

    function test_aPayloadHasOneTo128Bytes() external {
        vm.startPrank(USER);
        gateway.deposit{value: 1}(ETH, 1, Destination(NETWORK, new bytes(128)), 0);
        gateway.deposit{value: 1}(ETH, 1, Destination(NETWORK, new bytes(1)), 0);
        vm.expectRevert(IGateway.BadDestination.selector);
        gateway.deposit{value: 1}(ETH, 1, Destination(NETWORK, new bytes(129)), 0);
        vm.expectRevert(IGateway.BadDestination.selector);
        gateway.deposit{value: 1}(ETH, 1, Destination(NETWORK, ""), 0);
        vm.expectRevert(IGateway.BadDestination.selector);
        gateway.burn(address(wrapped), 1, Destination(NETWORK, ""), 0);
    }

    function test_aTokenIsCountedByWhatArrives() external {
        fund(foreign, 100);
        FeeToken taxed = new FeeToken();
        SilentToken silent = new SilentToken();
        list(address(taxed), 10);
        list(address(silent), 11);
        fund(taxed, 1000);
        fund(silent, 50);
        PlainToken[3] memory all = [foreign, PlainToken(taxed), PlainToken(silent)];
        uint128[3] memory sent = [uint128(100), 1000, 50];
        uint128[3] memory arrives = [uint128(100), 990, 50];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(true, true, true, true, address(gateway));
            bytes memory payload = toLedger().payload;
            emit IGateway.Deposited(address(all[i]), USER, arrives[i], NETWORK, payload, 1);
            vm.prank(USER);
            gateway.deposit(address(all[i]), sent[i], toLedger(), 1);
        }
    }

    function test_aTokenThatIsNotListedIsRefused() external {
        PlainToken other = new PlainToken();
        fund(other, 5);
        vm.startPrank(USER);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.deposit(address(other), 5, toLedger(), 0);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.deposit(address(wrapped), 5, toLedger(), 0);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.burn(address(other), 5, toLedger(), 0);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.burn(address(foreign), 5, toLedger(), 0);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.burn(ETH, 5, toLedger(), 0);
    }

    function test_depositsInsideADepositAreRefused() external {
        HookToken hook = new HookToken();
        list(address(hook), 10);
        Caller caller = new Caller();
        hook.give(address(caller), 10);
        bytes memory data =
            abi.encodeCall(IGateway.deposit, (address(hook), 5, toLedger(), uint256(0)));
        caller.tell(address(gateway), data);
        vm.startPrank(address(caller));
        hook.approve(address(gateway), 10);
        gateway.deposit(address(hook), 5, toLedger(), 0);
        isTrue(caller.called() && !caller.worked(), "counted twice");
        eq(hook.balanceOf(address(gateway)), 5);
    }

    function testFuzz_burningTakesTheCallersOwn(uint256 amount) external {
        amount = within(amount, 1, 1000);
        vm.expectEmit(true, true, true, true, address(gateway));
        emit IGateway.Burned(address(wrapped), USER, amount, NETWORK, toLedger().payload, 3);
        vm.prank(USER);
        gateway.burn(address(wrapped), amount, toLedger(), 3);
        eq(wrapped.balanceOf(USER), 1000 - amount);
        eq(wrapped.totalSupply(), 1000 - amount);
        vm.prank(address(0x57a));
        (bool ok,) = address(gateway).call(
            abi.encodeCall(IGateway.burn, (address(wrapped), 1, toLedger(), uint256(0)))
        );
        isTrue(!ok, "burnt what it does not have");
    }

    function test_aPauseClosesTheWayInForSevenDays() external {
        pause(1);
        vm.startPrank(USER);
        vm.expectPartialRevert(IGateway.Paused.selector);
        gateway.deposit{value: 1}(ETH, 1, toLedger(), 0);
        vm.expectPartialRevert(IGateway.Paused.selector);
        gateway.burn(address(wrapped), 1, toLedger(), 0);
        vm.stopPrank();
        run(2, item(MINT, address(wrapped), USER, 1));
        vm.warp(block.timestamp + 7 days);
        vm.startPrank(USER);
        gateway.deposit{value: 1}(ETH, 1, toLedger(), 0);
        gateway.burn(address(wrapped), 1, toLedger(), 0);
    }
}
