//go:build mpi && linux

package mpi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// agent stands for ssh: it runs mpirun's daemon in the namespace whose number ends the address,
// under a host name of its own.
const agent = `#!/bin/sh
address=$1
shift
name=%s${address##*.}
exec ip netns exec "$name" unshare -u sh -c "hostname $name; $*"
`

// run fails the test if a command fails.
func run(t testing.TB, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// namespaces makes so many machines: network namespaces with an address each, on one switch, whose
// links carry rate (as tc has it). It returns the command in front of mpirun, and its flags. The
// test is skipped where namespaces cannot be made.
func namespaces(t testing.TB, n int, rate string) (front, flags []string) {
	t.Helper()
	if !isOpen() {
		t.Skip("the flags are those of Open MPI")
	}
	prefix := fmt.Sprintf("pl%dn", os.Getpid()%10000)
	hub := prefix + "0"
	if out, err := exec.Command("ip", "netns", "add", hub).CombinedOutput(); err != nil {
		t.Skipf("network namespaces cannot be made here: %v %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", hub).Run() })
	if out, err := exec.Command("ip", "-n", hub, "link", "add", "switch", "type",
		"bridge").CombinedOutput(); err != nil {
		t.Skipf("bridges cannot be made here: %v %s", err, out)
	}
	run(t, "ip -n "+hub+" link set switch up")
	var hosts []string
	for i := 1; i <= n; i++ {
		name, port := fmt.Sprint(prefix, i), fmt.Sprint("port", i)
		run(t, "ip netns add "+name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
		run(t, "ip -n "+name+" link set lo up")
		run(t, "ip -n "+hub+" link add "+port+" type veth peer name eth0 netns "+name)
		run(t, "ip -n "+hub+" link set "+port+" master switch up")
		run(t, fmt.Sprintf("ip -n %s addr add 10.77.0.%d/24 dev eth0", name, i))
		run(t, "ip -n "+name+" link set eth0 up")
		if rate != "" {
			run(t, "tc -n "+name+" qdisc add dev eth0 root tbf burst 256k latency 50ms rate "+rate)
		}
		hosts = append(hosts, fmt.Sprintf("10.77.0.%d:1", i))
	}
	script := filepath.Join(t.TempDir(), "agent")
	if err := os.WriteFile(script, fmt.Appendf(nil, agent, prefix), 0o777); err != nil {
		t.Fatal(err)
	}
	front = []string{"ip", "netns", "exec", prefix + "1", "unshare", "-u", "sh", "-c",
		"hostname " + prefix + `1; exec "$@"`, "sh"}
	return front, []string{"--mca", "plm_rsh_agent", script, "--mca", "plm", "rsh",
		"--mca", "oob_tcp_if_include", "eth0", "--mca", "pml", "ob1", "--mca", "btl", "self,tcp",
		"--mca", "btl_tcp_if_include", "eth0", "--map-by", "node", "-H", strings.Join(hosts, ",")}
}

// Two machines of one process each, joined by 1 Gbit/s, get the sums of the tree; a dead one ends
// the job; and a rank knows the other one's host.
func TestNamespaces(t *testing.T) {
	front, flags := namespaces(t, 2, "1gbit")
	for role, want := range map[string]int{"calls": 0, "killed": 137, "stopped": 7} {
		code, out, complaints := job{role: role, ranks: 2, front: front, flags: flags}.run(t)
		if code != want || role == "calls" && !strings.HasSuffix(out, "n2\n") ||
			role == "stopped" && !strings.Contains(complaints, "n2)\n") {
			t.Errorf("%s: code %d, expected %d\n%s%s", role, code, want, out, complaints)
		}
	}
}
