package main

import (
	"encoding/json"
	"fmt"

	sdkmath "cosmossdk.io/math"
	"github.com/CosmWasm/wasmd/app"
	"github.com/cometbft/cometbft/crypto/ed25519"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// proposer is the only validator's address; its key is always the same and signs nothing.
func proposer() sdk.ConsAddress {
	return sdk.ConsAddress(ed25519.GenPrivKeyFromSecret([]byte("peer")).PubKey().Address())
}

// appState is wasmd's default genesis with the workload's accounts and balances, and with one bonded validator,
// without which wasmd's staking module does not start.
func appState(chain *app.WasmApp, genesis Genesis) ([]byte, error) {
	if len(genesis.AppState.Auth.Accounts) == 0 {
		return nil, fmt.Errorf("genesis.json: expected accounts, got none")
	}
	var first struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal(genesis.AppState.Auth.Accounts[0], &first); err != nil {
		return nil, err
	}
	cdc := chain.AppCodec()
	bond := sdk.DefaultPowerReduction
	public, err := cryptocodec.FromCmtPubKeyInterface(ed25519.GenPrivKeyFromSecret([]byte("peer")).PubKey())
	if err != nil {
		return nil, err
	}
	key, err := codectypes.NewAnyWithValue(public)
	if err != nil {
		return nil, err
	}
	operator := sdk.ValAddress(proposer()).String()
	zero := sdkmath.LegacyZeroDec()
	staking := stakingtypes.NewGenesisState(stakingtypes.DefaultParams(), []stakingtypes.Validator{{
		OperatorAddress:   operator,
		ConsensusPubkey:   key,
		Status:            stakingtypes.Bonded,
		Tokens:            bond,
		DelegatorShares:   sdkmath.LegacyNewDecFromInt(bond),
		UnbondingTime:     genesis.Time,
		Commission:        stakingtypes.NewCommission(zero, zero, zero),
		MinSelfDelegation: sdkmath.ZeroInt(),
	}}, []stakingtypes.Delegation{
		stakingtypes.NewDelegation(first.Address, operator, sdkmath.LegacyNewDecFromInt(bond)),
	})
	signing := slashingtypes.SigningInfo{
		Address: proposer().String(),
		ValidatorSigningInfo: slashingtypes.ValidatorSigningInfo{
			Address:     proposer().String(),
			JailedUntil: genesis.Time,
		},
	}
	slashing := slashingtypes.NewGenesisState(slashingtypes.DefaultParams(), []slashingtypes.SigningInfo{signing}, nil)
	pool, err := cdc.MarshalJSON(&banktypes.Balance{
		Address: authtypes.NewModuleAddress(stakingtypes.BondedPoolName).String(),
		Coins:   sdk.NewCoins(sdk.NewCoin(sdk.DefaultBondDenom, bond)),
	})
	if err != nil {
		return nil, err
	}

	state := chain.DefaultGenesis()
	for module, message := range map[string]interface {
		Reset()
		String() string
		ProtoMessage()
	}{stakingtypes.ModuleName: staking, slashingtypes.ModuleName: slashing} {
		if state[module], err = cdc.MarshalJSON(message); err != nil {
			return nil, err
		}
	}
	balances := append(genesis.AppState.Bank.Balances, pool)
	if err := replace(state, authtypes.ModuleName, "accounts", genesis.AppState.Auth.Accounts); err != nil {
		return nil, err
	}
	if err := replace(state, banktypes.ModuleName, "balances", balances); err != nil {
		return nil, err
	}
	return json.Marshal(state)
}

// replace sets one field of a module's genesis.
func replace(state app.GenesisState, module, field string, value any) error {
	var fields map[string]any
	if err := json.Unmarshal(state[module], &fields); err != nil {
		return fmt.Errorf("genesis of %s: %w", module, err)
	}
	fields[field] = value
	bytes, err := json.Marshal(fields)
	state[module] = bytes
	return err
}
