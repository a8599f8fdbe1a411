// Fills in what SDK 0.53 (cosmossdk.io/x/tx v0.14.0) signs for the cases that golden_amino.mjs wrote. In a module that
// requires cosmossdk.io/x/tx v0.14.0:
// go run golden_amino.go ../../abci-app/proto/descriptors.bin ../../abci-app/tests/data/amino_cosmjs.json > ../../abci-app/tests/data/amino_sdk.json

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"

	_ "cosmossdk.io/api/amino"
	basev1beta1 "cosmossdk.io/api/cosmos/base/v1beta1"
	txv1beta1 "cosmossdk.io/api/cosmos/tx/v1beta1"
	"cosmossdk.io/x/tx/signing"
	"cosmossdk.io/x/tx/signing/aminojson"
	_ "github.com/cosmos/cosmos-proto"
	_ "github.com/cosmos/gogoproto/gogoproto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type coin struct{ Denom, Amount string }
type fee struct {
	Amount  []coin      `json:"amount"`
	Gas     json.Number `json:"gas"`
	Granter string      `json:"granter,omitempty"`
	Payer   string      `json:"payer,omitempty"`
}
type golden struct {
	Name      string          `json:"name"`
	Body      string          `json:"body"`
	Fee       json.RawMessage `json:"fee"`
	SignBytes *string         `json:"sign_bytes"`
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	raw, err := os.ReadFile(os.Args[1])
	must(err)
	set := &descriptorpb.FileDescriptorSet{}
	must(proto.Unmarshal(raw, set))
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(set)
	must(err)
	h := aminojson.NewSignModeHandler(aminojson.SignModeHandlerOptions{FileResolver: files, TypeResolver: dynamicpb.NewTypes(files)})
	in, err := os.ReadFile(os.Args[2])
	must(err)
	var cases []golden
	must(json.Unmarshal(in, &cases))
	var out []golden
	for _, c := range cases {
		bz, err := base64.StdEncoding.DecodeString(c.Body)
		must(err)
		body := &txv1beta1.TxBody{}
		must(proto.Unmarshal(bz, body))
		var f struct {
			Amount  []struct{ Denom, Amount string }
			Gas     string
			Granter string
			Payer   string
		}
		must(json.Unmarshal(c.Fee, &f))
		pf := &txv1beta1.Fee{Granter: f.Granter, Payer: f.Payer}
		var g uint64
		for _, d := range f.Gas {
			g = g*10 + uint64(d-'0')
		}
		pf.GasLimit = g
		for _, a := range f.Amount {
			pf.Amount = append(pf.Amount, &basev1beta1.Coin{Denom: a.Denom, Amount: a.Amount})
		}
		got, err := h.GetSignBytes(context.Background(), signing.SignerData{Address: "x", ChainID: "ember-1", AccountNumber: 7, Sequence: 42},
			signing.TxData{Body: body, AuthInfo: &txv1beta1.AuthInfo{Fee: pf}, BodyBytes: bz})
		if err != nil {
			os.Stderr.WriteString("left out: " + c.Name + ": " + err.Error() + "\n")
			continue
		}
		text := string(got)
		c.SignBytes = &text
		out = append(out, c)
	}
	bz, err := json.MarshalIndent(out, "", " ")
	must(err)
	os.Stdout.Write(append(bz, '\n'))
}
