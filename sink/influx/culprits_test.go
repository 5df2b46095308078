package influx_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/sinktest"
)

// Answers that name the lines at fault, as servers give them to six lines with
// n=0 to n=5. All that is not named has to be confirmed by the request after it.
func TestNamedLines(t *testing.T) {
	line := func(n int) string { return fmt.Sprintf("climate,device=s1,gateway=plant-7 n=%di %d", n, n+1) }
	tests := []struct {
		name, body string
		rejected   []int // nil: the answer names no line of ours
		reason     string
	}{
		{"3.x, a list", `{"error":"partial write of line protocol occurred","data":[
			{"original_line":"climate,device=s1","line_number":2,"error_message":"invalid column type for column 'n'"},
			{"original_line":"climate,device=s1","line_number":6,"error_message":"No fields were provided"}]}`,
			[]int{1, 5}, "the server rejects the line: invalid column type for column 'n'"},
		{"3.x, one", `{"error":"parsing failed for write_lp endpoint","data":{"original_line":"climate","line_number":4,"error_message":"No fields were provided"}}`,
			[]int{3}, "No fields were provided"},
		{"3.x, beyond the request", `{"error":"partial write of line protocol occurred","data":[{"line_number":0},{"line_number":7},{"line_number":-1}]}`, nil, ""},
		{"Cloud Dedicated", `{"code":"invalid","line":2,"message":"failed to parse line protocol: errors encountered on line(s):\nerror parsing line 2 (1-based): Invalid measurement was provided\nerror parsing line 4 (1-based): Unable to parse timestamp value '1234'"}`,
			[]int{1, 3}, "the server rejects the line: Invalid measurement was provided"},
		{"QuestDB", `{"code":"invalid","message":"failed to parse line protocol:errors encountered on line(s):\nerror in line 5: table: climate, column: n; cast error from protocol type: INTEGER","line":5,"errorId":"x"}`,
			[]int{4}, "cast error"},
		{"1.8, quoted", `{"error":"partial write: unable to parse '` + line(0) + `': invalid number\nunable to parse '` + line(5) + `': invalid boolean dropped=0"}`,
			[]int{0, 5}, "the server rejects the line: invalid number"},
		{"2.x, quoted", `{"code":"invalid","message":"unable to parse '` + line(2) + `': bad timestamp"}`, []int{2}, "bad timestamp"},
		{"quoted, not ours", `{"code":"invalid","message":"unable to parse 'cpu value': invalid field format"}`, nil, ""},
		{"no line", `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"n\" on measurement \"climate\" is type string, already exists as type float dropped=1"}`, nil, ""},
		{"a list that is none", `{"error":"partial write","data":"x"}`, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got [][]string
			out := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got = append(got, linesOf(t, r)); len(got) == 1 {
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(w, tt.body)
					return
				}
				w.WriteHeader(http.StatusNoContent)
			})
			err := out.Write(t.Context(), readings(6))
			if tt.rejected == nil {
				if !sink.IsPermanent(err) || len(got) != 1 {
					t.Errorf("Write = %v after %d requests, want a permanent error after one", err, len(got))
				}
				return
			}
			sinktest.WantRejected(t, err, tt.rejected...)
			if !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("Write = %v, want %q in it", err, tt.reason)
			}
			if len(got) != 2 || len(got[1]) != 6-len(tt.rejected) {
				t.Errorf("requests: %q", got)
			}
		})
	}
}

// Numbers of lines mean nothing when a text holds a line break; a quoted line
// does, also one that holds what ends a quotation.
func TestNamedLinesWithLineBreaks(t *testing.T) {
	hostile := "a': b\nunable to parse 'c': d"
	body := ""
	requests := 0
	out := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":%s}`, strconv.Quote(body))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	batch := readings(3)
	batch[1].Metrics = []protocol.Metric{{Name: "s", Value: protocol.String("two\nlines")}}
	body = "error parsing line 1 (1-based): no"
	if err := out.Write(t.Context(), batch); !sink.IsPermanent(err) || requests != 1 {
		t.Errorf("Write = %v after %d requests", err, requests)
	}
	requests = 0
	batch[1].Metrics[0].Value = protocol.String(strings.ReplaceAll(hostile, "\n", " "))
	body = `partial write: unable to parse 'climate,device=s1,gateway=plant-7 s="a': b unable to parse 'c': d" 2': invalid dropped=0`
	sinktest.WantRejected(t, out.Write(t.Context(), batch), 1)
}

// A server that names one line at a time must not use up the time of a Write.
func TestLinesNamedOneByOne(t *testing.T) {
	requests := 0
	out := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"parsing failed","data":{"line_number":1,"error_message":"no"}}`)
	})
	if err := out.Write(t.Context(), readings(100)); !sink.IsPermanent(err) || requests > 5 {
		t.Errorf("Write = %v after %d requests", err, requests)
	}
	sinktest.WantRejected(t, out.Write(t.Context(), readings(3)), 0, 1, 2)
}

// TestRecordedAnswers judges the collection of public answers that may lie beside
// the repository: TestAnswers and TestNamedLines hold the same kinds.
func TestRecordedAnswers(t *testing.T) {
	file, err := os.Open("../../../shared/corpus/influx-errors/responses.jsonl")
	if err != nil {
		t.Logf("no corpus beside this clone, the answers of this package alone were tried: %v", err)
		return
	}
	defer file.Close()
	for cases := bufio.NewScanner(file); cases.Scan(); {
		var c struct {
			ID     string
			Body   string `json:"input_text"`
			Config struct {
				Status  string `json:"http_status"`
				Headers map[string]string
			}
			Expected struct {
				Retry *bool
				Kind  string
			}
		}
		if err := json.Unmarshal(cases.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for key, value := range c.Config.Headers {
				w.Header().Set(key, value)
			}
			status, _ := strconv.Atoi(c.Config.Status)
			w.WriteHeader(status)
			fmt.Fprint(w, c.Body)
		})
		lost := c.Expected.Retry != nil && !*c.Expected.Retry && c.Expected.Kind != "request wrong"
		if err := out.Write(t.Context(), readings(3)); err == nil || sink.IsPermanent(err) != lost {
			t.Errorf("%s: Write = %v, permanent: %v, want %v", c.ID, err, sink.IsPermanent(err), lost)
		}
	}
}

// halves delivers as the pipeline does: a permanent error halves the batch. It
// returns the rejected readings.
func halves(t *testing.T, out sink.Sink, batch []protocol.Reading) []protocol.Reading {
	t.Helper()
	err := out.Write(t.Context(), batch)
	var partial *sink.PartialError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &partial):
		var rejected []protocol.Reading
		for _, r := range partial.Rejected {
			rejected = append(rejected, batch[r.Index])
		}
		return rejected
	case !sink.IsPermanent(err):
		t.Fatal(err)
	case len(batch) == 1:
		return batch
	}
	mid := len(batch) / 2
	return append(halves(t, out, batch[:mid]), halves(t, out, batch[mid:])...)
}

// How many requests it takes to find bad lines at a real InfluxDB, which names
// lines that it cannot read and says nothing of which field has the wrong type.
func TestRealServerBadLinesAreFound(t *testing.T) {
	server := sinktest.StartInfluxd(t)
	const n = 5000
	for k, tt := range []struct {
		name string
		bad  []int
		make protocol.Value
		most int
	}{
		{"one of another type", []int{3333}, protocol.String("x"), 28},
		{"seven of another type", []int{0, 1, 2, 700, 2499, 2500, 4999}, protocol.Float(1.5), bound(n, 7)},
		{"forty of another type", every(125, n), protocol.Bool(true), bound(n, 40)},
		{"one that cannot be read", []int{17}, protocol.Uint(math.MaxUint64), 2},
		{"forty that cannot be read", every(125, n), protocol.Uint(math.MaxUint64), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			database := "d" + strconv.Itoa(k)
			server.CreateDatabase(t, database)
			cfg := configFor(server.URL())
			cfg.Bucket = database
			out := opened(t, cfg)
			if err := out.Write(t.Context(), readings(1)); err != nil { // the field is an integer
				t.Fatal(err)
			}
			batch := readings(n)
			for _, i := range tt.bad {
				batch[i].Metrics[0].Value = tt.make
			}
			before := out.Traffic().Requests
			rejected := halves(t, out, batch)
			if requests := int(out.Traffic().Requests - before); requests > tt.most {
				t.Errorf("%d requests, want at most %d", requests, tt.most)
			} else {
				t.Logf("%d requests of at most %d", requests, tt.most)
			}
			if len(rejected) != len(tt.bad) {
				t.Fatalf("%d rejected, want %d", len(rejected), len(tt.bad))
			}
			for k, i := range tt.bad {
				if rejected[k].ReceivedTime != batch[i].ReceivedTime {
					t.Errorf("rejected reading %d, want %d", rejected[k].ReceivedTime, batch[i].ReceivedTime)
				}
			}
			want := n - len(tt.bad)
			if tt.bad[0] == 0 {
				want++ // the first of all is there with the same time
			}
			if stored := number(t, server.Query(t, database, "SELECT count(n) FROM climate")[0]["count"]); int(stored) != want {
				t.Errorf("stored %d, want %d", stored, want)
			}
		})
	}
}

func every(step, n int) (all []int) {
	for i := step / 2; i < n; i += step {
		all = append(all, i)
	}
	return all
}

// bound is the number of requests that finding k bad lines of n by halves may
// take, wherever they are: two for each part of the batch that holds one.
func bound(n, k int) int {
	deep, wide := int(math.Ceil(math.Log2(float64(n)))), int(math.Ceil(math.Log2(float64(k))))
	return 1 + 2*(1<<wide-1+k*(deep-wide))
}
