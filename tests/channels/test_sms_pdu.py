"""The frames of CMPP and SMGP against other people's codecs, and against rubbish."""

import hashlib
import os
import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycmpp.request import SubmitRequestInstance  # it has no types
from pycmpp.response import SubmitResponseInstance  # it has no types
from pydantic import SecretStr

from channels.sms import cmpp, cmpp_pdu, octets, smgp_pdu
from channels.sms.text import payload, segments
from normalizer.errors import InvalidInput
from tests.kit.doors import NOW

NAME = bytes.fromhex("bb24a02f40000001")
FRAMES = cmpp.Frames(
    "sms",
    cmpp.Settings(kind="cmpp", host="h", sp_id="901234", secret=SecretStr(""), src_id="10612345", version=3),
    lambda: NOW,
)


def test_version_2_is_written_as_another_library_writes_it():
    theirs = SubmitRequestInstance().create(
        "901234",
        "井盖丢了",
        ["13800000001"],
        src_id="10612345",
        registered_delivery=1,
        msg_level=1,
        fee_usertype=0,
    )
    fields = cmpp_pdu.Submit("10612345", "901234", "13800000001", "井盖丢了".encode("utf-16-be"))
    ours = cmpp_pdu.submit(1, fields, 2)
    assert ours[12:] == theirs[12:]
    assert ours[:8] == theirs[:8]


def test_a_part_of_version_2_is_written_as_another_library_writes_it():
    part = segments("井盖丢了" * 30)[1]
    theirs = SubmitRequestInstance().create(
        "901234",
        part.text,
        ["13800000001"],
        msg_head=bytes([5, 0, 3, 9, 2, 2]),
        pk_total=2,
        pk_number=2,
        registered_delivery=1,
        msg_level=1,
        fee_usertype=0,
        tp_udhi=1,
    )
    fields = cmpp_pdu.Submit("", "901234", "13800000001", payload(part, 9), total=2, number=2)
    assert cmpp_pdu.submit(1, fields, 2)[12:] == theirs[12:]


def test_an_answer_is_read_as_another_library_reads_it():
    frame = octets.frame(0x80000004, 7, NAME + b"\x08")
    theirs = SubmitResponseInstance()
    theirs.resolve(frame)
    ours = cmpp_pdu.submitted(frame)
    assert (
        (int.from_bytes(ours.msg_id, "big"), ours.result)
        == (theirs.msg_id, theirs.status)
        == (int.from_bytes(NAME, "big"), 8)
    )


LENGTHS = [(2, 159), (3, 195)]


@pytest.mark.parametrize(("version", "length"), LENGTHS)
def test_an_empty_submit_is_as_long_as_the_norm_says(version, length):
    assert len(cmpp_pdu.submit(1, cmpp_pdu.Submit("1", "901234", "2", b""), version)) == length
    assert len(cmpp_pdu.connect(1, "901234", "s", 1124100000, version)) == 39


WIRE = [
    (
        "connect",
        cmpp_pdu.connect(5, "901234", "geheim", 1124100001, 3),
        {
            "cmpp.Total_Length": "39",
            "cmpp.Command_Id": "0x00000001",
            "cmpp.Sequence_Id": "5",
            "cmpp.connect.Source_Addr": "901234",
            "cmpp.Version": "03.00",
            "cmpp.connect.Timestamp": "11/24 10:00:01",
        },
    ),
    (
        "submit",
        cmpp_pdu.submit(
            6,
            cmpp_pdu.Submit(
                "10612345", "901234", "13800000001", payload(segments("井盖丢了" * 30)[1], 9), "HOTLINE", 2, 2
            ),
            3,
        ),
        {
            "cmpp.Total_Length": "307",
            "cmpp.Command_Id": "0x00000004",
            "cmpp.Sequence_Id": "6",
            "cmpp.submit.Pk_total": "2",
            "cmpp.submit.Pk_number": "2",
            "cmpp.submit.Registered_Delivery": "1",
            "cmpp.submit.Msg_level": "1",
            "cmpp.Servicd_Id": "HOTLINE",
            "cmpp.submit.Fee_UserType": "0",
            "cmpp.submit.Fee_terminal_Id": "",
            "cmpp.submit.Fee_terminal_type": "0",
            "cmpp.TP_pId": "0",
            "cmpp.TP_udhi": "1",
            "cmpp.Msg_Fmt": "8",
            "cmpp.submit.Msg_src": "901234",
            "cmpp.submit.FeeType": "01",
            "cmpp.submit.FeeCode": "000000",
            "cmpp.submit.Valld_Time": "",
            "cmpp.submit.At_time": "",
            "cmpp.submit.Src_Id": "10612345",
            "cmpp.submit.DestUsr_tl": "1",
            "cmpp.Dest_terminal_Id": "13800000001",
            "cmpp.submit.Dest_terminal_type": "0",
            "cmpp.LinkID": "",
            "cmpp.Msg_Length": str(6 + 2 * 53),
        },
    ),
    (
        "deliver response",
        cmpp_pdu.deliver_resp(struct.pack(">III8s", 20, 5, 9, NAME), 8, 3),
        {
            "cmpp.Total_Length": "24",
            "cmpp.Command_Id": "0x80000005",
            "cmpp.Sequence_Id": "9",
            "cmpp.Msg_Id.timestamp": "11/22 09:10:00",
            "cmpp.Msg_Id.ismg_code": "12096",
            "cmpp.Msg_Id.sequence_id": "1",
            "cmpp.deliver_resp.Result": "8",
        },
    ),
    ("active test", FRAMES.test(10), {"cmpp.Command_Id": "0x00000008", "cmpp.Total_Length": "12"}),
    ("terminate", FRAMES.goodbye(11), {"cmpp.Command_Id": "0x00000002", "cmpp.Sequence_Id": "11"}),
]


@pytest.mark.parametrize(("label", "frame", "fields"), WIRE, ids=[row[0] for row in WIRE])
def test_wireshark_reads_version_3_as_we_mean_it(label, frame, fields, tmp_path):
    assert dissected(frame, list(fields), tmp_path) == fields


ANY = st.binary(max_size=300)
READERS = [
    (0x80000001, cmpp_pdu.connected),
    (0x80000004, cmpp_pdu.submitted),
    (5, lambda data: cmpp_pdu.delivered(data, 2)),
    (5, lambda data: cmpp_pdu.delivered(data, 3)),
    (0x80000001, smgp_pdu.login_status),
    (0x80000002, smgp_pdu.submitted),
    (3, smgp_pdu.delivered),
]


@pytest.mark.parametrize(("command", "read"), READERS)
@given(body=ANY)
def test_rubbish_is_refused_by_the_one_error(command, read, body):
    for data in (body, octets.frame(command, 1, body)):
        try:
            read(data)
        except InvalidInput:
            continue


@pytest.mark.parametrize("read", [cmpp_pdu.report, smgp_pdu.report])
@given(body=ANY)
def test_a_receipt_of_rubbish_is_refused_by_the_one_error(read, body):
    for data in (body, b"id:" + body):
        try:
            read(data)
        except InvalidInput:
            continue


@given(st.binary(min_size=8, max_size=8), st.sampled_from(["DELIVRD", "MK:0001"]), st.sampled_from([21, 32]))
def test_a_receipt_is_read_in_both_lengths(name, stat, wide):
    content = struct.pack(f">8s7s10s10s{wide}sI", name, stat.encode(), b"1", b"2611241001", b"13800000001", 1)
    assert cmpp_pdu.report(content) == cmpp_pdu.Report(name, stat, "2611241001", "13800000001")


@given(st.binary(min_size=10, max_size=10), st.sampled_from(["DELIVRD", "UNDELIV"]))
def test_the_id_of_an_smgp_receipt_may_be_any_bytes(name, stat):
    content = (
        b"id:"
        + name
        + b" sub:001 dlvrd:001 submit date:2611241000 done date:2611241001 stat:%s err:012 text:"
        % stat.encode()
    )
    assert smgp_pdu.report(content) == smgp_pdu.Report(name, stat, "012")


@pytest.mark.parametrize("receiver", ["1" * 33, "井"])
@pytest.mark.parametrize("version", [2, 3])
def test_what_fits_no_field_is_refused(receiver, version):
    with pytest.raises(InvalidInput):
        cmpp_pdu.submit(1, cmpp_pdu.Submit("1", "901234", receiver, b""), version)


def test_a_content_too_long_is_refused():
    with pytest.raises(InvalidInput):
        cmpp_pdu.submit(1, cmpp_pdu.Submit("1", "901234", "1", bytes(141)), 2)
    with pytest.raises(InvalidInput):
        smgp_pdu.submit(1, smgp_pdu.Submit("1", "1", bytes(141)))


@pytest.mark.parametrize("size", [1, 4])
def test_a_gateway_may_hash_its_status_in_one_byte_or_four(size):
    source = cmpp_pdu.authenticator("901234", "s", 1)
    proof = hashlib.md5(bytes(size) + source + b"s").digest()
    assert cmpp_pdu.approved(cmpp_pdu.Connected(0, proof, 0x30), source, "s")
    assert not cmpp_pdu.approved(cmpp_pdu.Connected(0, proof, 0x30), source, "t")


def dissected(frame, fields, folder):
    """What Wireshark's dissector of CMPP 3.0 says of a frame."""
    if not (shutil.which("tshark") and shutil.which("text2pcap")):
        if os.environ.get("JIESU_REQUIRE_SERVERS") == "1":
            pytest.fail("tshark and text2pcap are required")
        pytest.skip("tshark is not installed")
    lines = [f"{at:06x} {frame[at : at + 16].hex(' ')}" for at in range(0, len(frame), 16)]
    (folder / "frame.txt").write_text("\n".join(lines) + "\n")
    made = ["text2pcap", "-q", "-T", "50000,7890", str(folder / "frame.txt"), str(folder / "frame.pcap")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    asked = [
        "tshark",
        "-r",
        str(folder / "frame.pcap"),
        "-d",
        "tcp.port==7890,cmpp",
        "-T",
        "fields",
        "-E",
        "separator=|",
    ]
    asked += [word for field in fields for word in ("-e", field)]
    said = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout
    return dict(zip(fields, said.rstrip("\n").split("|"), strict=True))
