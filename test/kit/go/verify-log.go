// Reads a log folder with the libraries of Go's checksum database, which share no code with ours: the note's signature, every
// entry's inclusion, and the consistency with an earlier tree. Ends with 1 and a sentence if anything does not hold.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int { return 8 }

// SaveTiles keeps nothing: each run reads the files.
func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Go writes the height into the path, c2sp.org/tlog-tiles does not.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// entries reads the leaves of a log of size n from its bundles.
func entries(f folder, n int64) [][]byte {
	var all [][]byte
	for first := int64(0); first < n; first += 256 {
		tile := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(min(256, n-first))}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		must(err)
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	return all
}

// verify-log FOLDER VKEY EARLIER_SIZE EARLIER_ROOT
func main() {
	f := folder(os.Args[1])
	verifier, err := note.NewVerifier(os.Args[2])
	must(err)
	text, err := os.ReadFile(filepath.Join(string(f), "checkpoint"))
	must(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	tree := tlog.Tree{N: size, Hash: root}
	hashes := tlog.TileHashReader(tree, f)
	leaves := entries(f, size)
	if int64(len(leaves)) != size {
		must(fmt.Errorf("%d entries in the bundles, %d in the checkpoint", len(leaves), size))
	}
	for index, leaf := range leaves {
		proof, err := tlog.ProveRecord(size, int64(index), hashes)
		must(err)
		must(tlog.CheckRecord(proof, size, root, int64(index), tlog.RecordHash(leaf)))
	}
	earlierSize, err := strconv.ParseInt(os.Args[3], 10, 64)
	must(err)
	earlier, err := base64.StdEncoding.DecodeString(os.Args[4])
	must(err)
	proof, err := tlog.ProveTree(size, earlierSize, hashes)
	must(err)
	must(tlog.CheckTree(proof, size, root, earlierSize, tlog.Hash(earlier)))
	fmt.Printf("%d entries of %s hold\n", size, lines[0])
}
