// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"net/http"

	"belfry/config"
	"belfry/doctor"
)

// Doctor looks into Belfry and all it is connected with. What is lent must not
// be kept.
type Doctor interface {
	Examine(ctx context.Context, lent doctor.Lent) doctor.Report
}

// DoctorOrder is the body of POST /doctor.
type DoctorOrder struct {
	// AdminToken is the text itself: it has to come through. It goes over the
	// unix socket alone, and ends with the examination.
	AdminToken string `json:"admin_token,omitempty"`
	// Connection is whose server's administrator it is; see doctor.Lent.
	Connection string `json:"connection,omitempty"`
}

// doctor answers POST /doctor with a report. Whoever may open the socket may
// hand over alerts; a report shows no secret.
func (s *Server) doctor(w http.ResponseWriter, r *http.Request) {
	var o DoctorOrder
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil {
		obey(w, http.StatusBadRequest, "the order can't be read; see belfry doctor --help")
		return
	}
	lent := doctor.Lent{Connection: o.Connection}
	if o.AdminToken != "" {
		lent.Token = config.Secret(o.AdminToken)
	}
	report := s.opt.Doctor.Examine(r.Context(), lent)
	s.opt.Log.Info("an examination was made", "level", string(report.Level), "fail", report.Count(doctor.Fail), "warn", report.Count(doctor.Warn))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(report) // who ordered it may be gone
}
