// Opens a checkpoint with Go's note package and a verifier of cosignature/v1 (c2sp.org/tlog-cosignature), which shares no code
// with ours. Ends with 1 and a sentence unless both the log and the witness have signed.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func newCosigner(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("no verifier key")
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if len(key) != 33 || key[0] != 4 || binary.BigEndian.Uint32(sum[:4]) != uint32(hash) {
		return nil, errors.New("not the verifier key of a witness")
	}
	return cosigner{parts[0], uint32(hash), key[1:]}, nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// verify-cosignature CHECKPOINT LOG_VKEY WITNESS_VKEY
func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	log, err := note.NewVerifier(os.Args[2])
	must(err)
	witness, err := newCosigner(os.Args[3])
	must(err)
	opened, err := note.Open(text, note.VerifierList(log, witness))
	must(err)
	if len(opened.Sigs) != 2 {
		must(fmt.Errorf("%d of 2 have signed", len(opened.Sigs)))
	}
	fmt.Printf("%s and %s have signed\n", opened.Sigs[0].Name, opened.Sigs[1].Name)
}
