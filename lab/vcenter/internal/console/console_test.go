package console

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
	"testing"
)

// Event lines are told and not shown; everything else is shown and not told.
func TestFollow(t *testing.T) {
	var b Buffer
	var got []string
	text := "hello\n@lab {\"event\":\"installed\",\"seconds\":3}\n@lab {broken\n  @lab {\"event\":\"tools-running\"}\r\n@lab {\"no\":\"event\"}\nend"
	if err := b.Follow(strings.NewReader(text), func(e Event) { got = append(got, e.Name) }); err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, " ") != "installed tools-running" {
		t.Errorf("events: %v", got)
	}
	if want := "hello\n@lab {broken\n@lab {\"no\":\"event\"}\nend"; b.Text() != want {
		t.Errorf("text: %q", b.Text())
	}
}

// A guest that prints for ever does not fill the memory; the newest lines stay.
func TestLimit(t *testing.T) {
	var b Buffer
	for i := range 40000 {
		b.add(fmt.Sprintf("%08d %s\n", i, strings.Repeat("x", 40)))
	}
	text := b.Text()
	if len(text) > Limit+100 || !strings.HasPrefix(text, "[earlier lines were dropped]\n0") || !strings.Contains(text, "\n00039999 ") {
		t.Errorf("%d bytes, begins %q", len(text), text[:40])
	}
}

// The screen is the end of the text: wrapped, cut, without colours.
func TestScreen(t *testing.T) {
	var b Buffer
	b.add("first\n\x1b[31mred\x1b[0m and long\ta\n")
	got := b.Screen(8, 3)
	if want := "red and |long    |a"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", strings.Join(got, "|"), want)
	}
	data, err := PNG(got)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Dx() != Columns*charW+2*margin {
		t.Errorf("%v %v", img.Bounds(), err)
	}
}
