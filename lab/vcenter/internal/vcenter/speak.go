package vcenter

import (
	"bytes"
	"encoding/xml"
	"regexp"

	"github.com/vmware/govmomi/vim25/types"
	vim "github.com/vmware/govmomi/vim25/xml"

	"goldsmith/lab/internal/tasks"
)

// A refused call, or the only one with a text, which is not vCenter's: <faultstring></faultstring><detail><NoPermissionFault … xsi:type="NoPermission">…</NoPermissionFault></detail>
var silentFault = regexp.MustCompile(`(?s)<faultstring>(?:Login failure)?</faultstring>(<detail><\w+ [^>]*type="(\w+)"[^>]*>(.*?)</\w+Fault></detail>)`)

// typed is how a failed task of the simulator looks behind its fault.
const typed = "</fault><localizedMessage>*types."

var openFault = regexp.MustCompile(`^<fault [^>]*type="(\w+)"[^>]*>`)

// speak puts texts into the faults of an encoded answer. The simulator leaves a refusal's text empty and gives a
// failed task the name of a Go type.
func speak(p []byte) []byte {
	p = silentFault.ReplaceAllFunc(p, func(all []byte) []byte {
		m := silentFault.FindSubmatch(all)
		return join("<faultstring>", text(m[2], m[3]), "</faultstring>", string(m[1]))
	})
	for { // a failed task: <fault … type="FileNotFound">…</fault><localizedMessage>*types.FileNotFound</localizedMessage>
		end := bytes.Index(p, []byte(typed))
		start := bytes.LastIndex(p[:max(end, 0)], []byte("<fault "))
		m := openFault.FindSubmatch(p[max(start, 0):])
		if end < 0 || start < 0 || m == nil {
			return p
		}
		tail := p[end+len(typed):]
		if _, rest, ok := bytes.Cut(tail, []byte("</localizedMessage>")); ok {
			tail = rest
		}
		inner := p[start+len(m[0]) : end]
		p = join(string(p[:end]), "</fault><localizedMessage>", text(m[1], inner), "</localizedMessage>", string(tail))
	}
}

func join(parts ...string) []byte {
	var out bytes.Buffer
	for _, s := range parts {
		out.WriteString(s)
	}
	return out.Bytes()
}

// text decodes a fault and says what it means, escaped for XML.
func text(kind, inner []byte) string {
	var f types.LocalizedMethodFault
	doc := join(`<f xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><fault xsi:type="`, string(kind), `">`, string(inner), `</fault></f>`)
	dec := vim.NewDecoder(bytes.NewReader(doc))
	dec.TypeFunc = types.TypeFunc()
	said := string(kind)
	if err := dec.Decode(&f); err == nil && f.Fault != nil {
		said = tasks.Text(f.Fault)
	}
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(said))
	return out.String()
}
