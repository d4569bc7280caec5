#include "flow/error_kind.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ErrorKind, TransientTroubleIsTriedAgain) {
    for (const char* state : {"08000", "08001", "08006", "08P01", "40001", "40P01", "53000", "53100", "53200",
                              "53300", "55P03", "57014", "57P01", "57P02", "57P03"}) {
        EXPECT_EQ(kind_of_sqlstate(state), ErrorKind::Transient) << state;
    }
}

TEST(ErrorKind, WhatOnlyAPersonCanMendIsConfig) {
    for (const char* state : {"3D000", "3F000", "42P01", "42703", "42704", "42883", "42601", "42804",
                              "42809", "42P10", "428C9", "42501", "28000", "28P01", "0P000", "2200H",
                              "25006", "55000", "58030", "58P01", "F0000", "XX001", "XX002"}) {
        EXPECT_EQ(kind_of_sqlstate(state), ErrorKind::Config) << state;
    }
}

TEST(ErrorKind, EverythingElseIsTheMessagesFault) {
    for (const char* state :
         {"22P02", "22003", "22007", "22008", "22021", "22P04", "23502", "23503",          "23505",
          "23514", "23P01", "44000", "54000", "54001", "P0001", "38000", "21000",          "XX000",
          "0A000", "40000", "40002", "42602", "55006", "",      "4",     "not an sqlstate"}) {
        EXPECT_EQ(kind_of_sqlstate(state), ErrorKind::Data) << state;
    }
}

TEST(ErrorKind, NoMessageFillsTheDiskOrEndsTheServer) {
    for (const char* state : {"08000", "08006", "53100", "53300", "57P01", "57P03"}) {
        EXPECT_TRUE(is_never_the_message(state)) << state;
    }
    for (const char* state : {"40001", "40P01", "53000", "53200", "55P03", "57014", ""}) {
        EXPECT_FALSE(is_never_the_message(state)) << state;
    }
}

TEST(ErrorKind, ARowThatAPolicyForbidsIsNotAMissingPrivilege) {
    EXPECT_EQ(kind_of_sqlstate("42501", "ExecWithCheckOptions"), ErrorKind::Data);
    EXPECT_EQ(kind_of_sqlstate("42501", "aclcheck_error"), ErrorKind::Config);
    EXPECT_EQ(kind_of_sqlstate("42P01", "ExecWithCheckOptions"), ErrorKind::Config);
}

}  // namespace
}  // namespace sluice
