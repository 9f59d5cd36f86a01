// Package console keeps what a VM's screen showed and recognises the guest's own events in it.
package console

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"unicode"
)

// Limit is how much of a console is kept, in bytes: an installer's log is about 100 kB.
const Limit = 1 << 20

// Mark starts a line that is an event of the guest: the mark, a space, and a JSON object.
const Mark = "@lab "

// Events a guest sends.
const (
	Installing    = "installing"
	Installed     = "installed"
	InstallFailed = "install-failed"
	ToolsRunning  = "tools-running"
)

// Event is what a guest says of itself; Fields holds the whole object.
type Event struct {
	Name   string
	Fields map[string]any
}

// Buffer is a VM's console: the last Limit bytes of all its starts.
type Buffer struct {
	mu   sync.Mutex
	data []byte
	cut  bool // the beginning was dropped
}

// Follow copies a stream into the buffer until it ends and calls on for every event line.
func (b *Buffer) Follow(r io.Reader, on func(Event)) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			if e, ok := Parse(line); ok {
				on(e)
			} else {
				b.add(line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (b *Buffer) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, line...)
	if len(b.data) > Limit {
		keep := b.data[len(b.data)-Limit*3/4:]
		if i := bytes.IndexByte(keep, '\n'); i >= 0 {
			keep = keep[i+1:]
		}
		b.data, b.cut = append([]byte{}, keep...), true
	}
}

// Text returns everything kept.
func (b *Buffer) Text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return "[earlier lines were dropped]\n" + string(b.data)
	}
	return string(b.data)
}

// Screen returns the last lines as a text screen would show them: wrapped, without control sequences.
func (b *Buffer) Screen(columns, rows int) []string {
	text := b.Text()
	if n := columns * rows * 4; len(text) > n {
		text = text[len(text)-n:]
	}
	var out []string
	for line := range strings.Lines(text) {
		r := []rune(plain(line))
		for len(r) > columns {
			out, r = append(out, string(r[:columns])), r[columns:]
		}
		out = append(out, string(r))
	}
	if len(out) > rows {
		out = out[len(out)-rows:]
	}
	return out
}

// plain drops escape sequences and other control characters.
func plain(s string) string {
	var out strings.Builder
	escape := false
	for _, r := range s {
		switch {
		case escape:
			escape = !unicode.IsLetter(r)
		case r == 0x1b:
			escape = true
		case r == '\t':
			out.WriteString("    ")
		case unicode.IsPrint(r):
			out.WriteRune(r)
		}
	}
	return out.String()
}

// Parse reads an event line.
func Parse(line string) (Event, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), Mark)
	if !ok {
		return Event{}, false
	}
	var fields map[string]any
	if json.Unmarshal([]byte(rest), &fields) != nil {
		return Event{}, false
	}
	name, _ := fields["event"].(string)
	return Event{Name: name, Fields: fields}, name != ""
}
