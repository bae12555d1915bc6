//! Whole conversations, compared byte by byte.

use super::reply::Talk;
use super::servers::Servers;

/// What is sent, in one piece. Behind it comes `OVER`, unless the server has closed the connection before.
const SESSIONS: &[&str] = &[
    // Malformed.
    "*1\r\n$-5\r\n",
    "*1\r\n$-1\r\n",
    "*-5\r\nPING\r\n",
    "*0\r\n*0\r\nPING\r\n",
    "*99999999999999999999\r\n",
    "*2147483648\r\n",
    "*1\r\n$536870913\r\n",
    "*1\r\n$99999999999999999999\r\n",
    "*1\r\n+PING\r\n",
    "*1\r\n\r\n$4\r\nPING\r\n",
    "*1\r\n$4\r\nPINGXXPING\r\n",
    "*\r\n",
    "*1\r\n$\r\n",
    "*+1\r\n$4\r\nPING\r\n",
    "* 1\r\n",
    "*1\r\n$ 4\r\n",
    "*1\r\n$04\r\nPING\r\n",
    "$4\r\nPING\r\n",
    ":1\r\n-ERR\r\n+OK\r\n",
    "\r\n\n\r\nPING\r\n   \r\n",
    "PING\n\rPING\n",
    "\"\r\n",
    "PING 'a\r\n",
    "PING \"a\"b\r\n",
    "ECHO \"\\x00\\xff\\n\\\"\"\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET owned 1\r\n",
    "*1\r\n$0\r\n\r\n",
    // Subscribers.
    "SUBSCRIBE a b a\r\nGET k\r\nPING\r\nPING hi\r\nUNSUBSCRIBE a x\r\nUNSUBSCRIBE\r\nUNSUBSCRIBE\r\nPING\r\n",
    "SUBSCRIBE\r\nPUBLISH c\r\nPUBLISH c m\r\nSUBSCRIBE c\r\nRESET\r\nPING\r\n",
    "SUBSCRIBE c\r\nQUIT\r\nPING\r\n",
    "QUIT\r\nSET late 1\r\n",
    // Replies that are not wanted. (Redis forgets to close a connection whose last reply is not wanted; we do not.)
    "CLIENT REPLY OFF\r\nPING\r\nSET r 1\r\nNOSUCH\r\nCLIENT REPLY ON\r\nGET r\r\n",
    "CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\nCLIENT REPLY SKIP\r\nNOSUCH\r\nECHO b\r\n",
    "CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n",
    "CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nECHO a\r\nECHO b\r\n",
    "CLIENT REPLY SKIP\r\nCLIENT REPLY OFF\r\nECHO a\r\nCLIENT REPLY SKIP\r\nECHO b\r\nCLIENT REPLY ON\r\nECHO c\r\n",
    "CLIENT REPLY\r\nCLIENT REPLY MAYBE\r\nCLIENT REPLY ON OFF\r\nCLIENT REPLY on\r\n",
    "CLIENT REPLY OFF\r\nSUBSCRIBE c\r\nUNSUBSCRIBE c\r\nCLIENT REPLY ON\r\n",
    "CLIENT REPLY SKIP\r\nSUBSCRIBE c\r\nPING\r\nUNSUBSCRIBE\r\n",
    "CLIENT REPLY OFF\r\nRESET\r\nPING\r\n",
];

const OVER: &str = "\r\nECHO over\r\n";

#[test]
fn conversations_go_as_with_a_real_redis() {
    let Some(servers) = Servers::start() else { return };
    for session in SESSIONS {
        let [kv, redis] = [servers.kv, servers.redis].map(|port| {
            let mut talk = Talk::connect(port);
            talk.send(format!("{session}{OVER}").as_bytes());
            talk.read_up_to(b"$4\r\nover\r\n").escape_ascii().to_string()
        });
        assert_eq!(kv, redis, "after {session:?}: ours, theirs");
    }
}
