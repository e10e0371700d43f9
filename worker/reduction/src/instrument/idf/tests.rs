#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use super::{add_parameters, parse};
use crate::instrument::parameters::Parameter;
use crate::instrument::{Instrument, V3D};

/// Instrument of a source, a sample and the parts of a test.
fn with(parts: &str, defaults: &str) -> Instrument {
    let text = format!(
        "<instrument name='TEST'><defaults>{defaults}</defaults>\
         <component type='source'><location z='-10'/></component><type name='source' is='Source'/>\
         <component type='sample'><location/></component><type name='sample' is='SamplePos'/>{parts}</instrument>"
    );
    parse(&text).unwrap()
}

fn at(instrument: &Instrument, id: i32) -> [f64; 3] {
    instrument.detector(id).unwrap().position.to_array()
}

fn close(found: [f64; 3], wanted: [f64; 3]) {
    let far = found.iter().zip(wanted).any(|(a, b)| !((a - b).abs() < 1e-12));
    assert!(!far, "{found:?}, not {wanted:?}");
}

const TUBES: &str = "<component type='bank' idlist='ids'><location x='1' name='left'/><location x='-1' name='right'/></component>\
    <type name='bank'><component type='tube'><location y='0.5' name='tube1'/><location y='-0.5' name='tube2'/></component></type>\
    <type name='tube'><component type='pixel'><location z='3'/></component></type>\
    <type name='pixel' is='detector'><cylinder id='shape'><axis x='0' y='1' z='0'/><radius val='0.0127'/><height val='0.01'/></cylinder></type>\
    <idlist idname='ids'><id start='10' end='13'/></idlist>";

#[test]
fn the_nearest_owner_of_a_parameter_decides() {
    let mut instrument = with(TUBES, "");
    add_parameters(
        "<parameter-file instrument='test'>\
         <component-link name='TEST'><parameter name='Efixed'><value val='1'/></parameter>\
           <parameter name='TubePressure'><value val='10.0' units='atm'/></parameter></component-link>\
         <component-link name='left'><parameter name='Efixed'><value val='2'/></parameter></component-link>\
         <component-link name='TEST/right/tube2'><parameter name='Efixed'><value val='3'/></parameter></component-link>\
         <component-link id='10, 12'><parameter name='EFIXED'><value val='4'/></parameter></component-link>\
         </parameter-file>",
        &mut instrument,
    )
    .unwrap();
    let fixed = |id: i32| {
        instrument
            .detector_parameter(instrument.detector(id).unwrap(), "Efixed")
            .and_then(Parameter::number)
    };
    // 10 and 12 by id, 11 by its bank, 13 by its tube's path.
    assert_eq!(
        [fixed(10), fixed(11), fixed(12), fixed(13)],
        [Some(4.0), Some(2.0), Some(4.0), Some(3.0)]
    );
    assert_eq!(instrument.number_parameter("efixed"), Some(1.0));
    let pressure = instrument.detector_parameter(instrument.detector(13).unwrap(), "TubePressure");
    assert_eq!(pressure.and_then(Parameter::number), Some(10.0));
    assert_eq!(instrument.parameter(None, "none"), None);
}

#[test]
fn values_have_the_types_that_they_are_given() {
    let mut instrument = with(TUBES, "");
    add_parameters(
        "<parameter-file><component-link name='TEST'>\
         <parameter name='yes' type='bool'><value val='True'/></parameter><parameter name='no' type='bool'><value val='no'/></parameter>\
         <parameter name='count' type='int'><value val='69634'/></parameter><parameter name='text' type='string'><value val='1,2'/></parameter>\
         <parameter name='plain'><value val='2.5e-3'/></parameter><parameter name='empty'/>\
         <parameter name='S' type='fitting'><formula eq='1.2*centre'/></parameter></component-link></parameter-file>",
        &mut instrument,
    )
    .unwrap();
    let value = |name: &str| instrument.parameter(None, name).cloned();
    assert_eq!(
        (value("yes"), value("no")),
        (Some(Parameter::Flag(true)), Some(Parameter::Flag(false)))
    );
    assert_eq!(
        (value("count"), value("plain")),
        (Some(Parameter::Integer(69634)), Some(Parameter::Number(2.5e-3)))
    );
    assert_eq!(
        (value("text"), value("empty")),
        (Some(Parameter::Text("1,2".into())), None)
    );
    assert_eq!(value("s"), Some(Parameter::Text("1.2*centre".into())));
}

#[test]
fn parameters_files_of_others_are_refused() {
    let mut instrument = with(TUBES, "");
    for (text, words) in [
        ("<parameter-file instrument='OTHER'/>", "OTHER"),
        ("<instrument/>", "parameter-file"),
        ("<parameter-file>", ""),
        (
            "<parameter-file><component-link name='a'><parameter name='p'><logfile id='l' eq='what(value)'/></parameter></component-link></parameter-file>",
            "what",
        ),
        ("<parameter-file><component-link id='x'/></parameter-file>", "x"),
    ] {
        let error = add_parameters(text, &mut instrument).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn logs_move_components_and_detectors() {
    let parts = "<component type='arm'><location x='1' rot='90' axis-y='1' name='arm'/></component>\
        <type name='arm'><component type='point' idlist='one'><location z='2' name='eye'/><parameter name='y'>\
          <logfile id='theta' eq='2*value' extract-single-value-as='last_value'/></parameter></component></type>\
        <type name='point' is='detector'/><idlist idname='one'><id val='7'/></idlist>\
        <component type='slit' name='slit1'><location z='-1'/><parameter name='vertical gap'><logfile id='gap'/></parameter>\
          <parameter name='x'><logfile id='shift' extract-single-value-as='maximum'/></parameter></component>\
        <type name='slit'/>";
    let still = Arc::new(with(parts, ""));
    close(at(&still, 7), [3.0, 0.0, 0.0]);
    let logs = |name: &str| match name {
        "theta" => Some(vec![9.0, 0.25]),
        "gap" => Some(vec![1.0, 2.0]),
        "shift" => Some(vec![0.1, 0.3, 0.2]),
        _ => None,
    };
    let moved = still.with_logs(logs);
    close(at(&moved, 7), [3.0, 0.5, 0.0]);
    let slit = moved.component("slit1");
    assert_eq!(moved.components[slit.unwrap()].position, V3D::new(0.3, 0.0, -1.0));
    assert_eq!(
        moved.parameter(slit, "vertical gap").and_then(Parameter::number),
        Some(1.5)
    );
    // Without the logs nothing moves, and nothing is copied.
    assert!(Arc::ptr_eq(&still, &still.with_logs(|_| None)));
    assert_eq!(
        still
            .parameter(still.component("slit1"), "vertical gap")
            .and_then(Parameter::number),
        None
    );
}

#[test]
fn cylinders_turn_with_what_carries_them() {
    let turned = TUBES.replace(
        "<location x='1' name='left'/>",
        "<location x='1' rot='90' axis-x='1' name='left'/>",
    );
    let instrument = with(&turned, "");
    let tube = instrument.cylinder(instrument.detector(10).unwrap()).unwrap();
    assert_eq!((tube.radius, tube.height), (0.0127, 0.01));
    close(tube.axis.to_array(), [0.0, 0.0, 1.0]);
    close(
        instrument
            .cylinder(instrument.detector(12).unwrap())
            .unwrap()
            .axis
            .to_array(),
        [0.0, 1.0, 0.0],
    );
}

#[test]
fn grids_number_their_pixels_by_the_rule_given() {
    let grid = |rule: &str| {
        with(
            &format!(
                "<component type='panel' idstart='100' {rule}><location z='5'/></component>\
                 <type name='panel' is='rectangular_detector' type='pixel' xpixels='3' xstart='-0.1' xstep='0.1' ypixels='2' ystart='0' ystep='0.2'/>\
                 <type name='pixel' is='detector'/>"
            ),
            "",
        )
    };
    let by_y = grid("idfillbyfirst='y' idstep='1' idstepbyrow='10'");
    close(at(&by_y, 111), [0.0, 0.2, 5.0]);
    let by_x = grid("idfillbyfirst='x' idstepbyrow='3'");
    close(at(&by_x, 104), [0.0, 0.2, 5.0]);
    assert_eq!((by_x.detectors.len(), by_x.detectors.last().unwrap().id), (6, 105));
}

#[test]
fn locations_nest_turn_and_face() {
    let facing = with(
        "<component type='bank' idlist='ids'><location x='2'><facing x='0' y='0' z='0'/></location></component>\
         <type name='bank'><component type='pixel'><location z='1'/></component></type>\
         <type name='pixel' is='detector'/><idlist idname='ids'><id val='1'/></idlist>",
        "",
    );
    // Its z axis points away from the faced point.
    close(at(&facing, 1), [3.0, 0.0, 0.0]);
    let nested = with(
        "<component type='bank' idlist='ids'><location z='1'><rot val='90' axis-y='1'><trans z='2'><rot val='90' axis-x='1'/></trans></rot></location></component>\
         <type name='bank'><component type='pixel'><location y='1'/></component></type>\
         <type name='pixel' is='detector'/><idlist idname='ids'><id val='1'/></idlist>",
        "",
    );
    // The bank is at (2, 0, 1); its y axis points along z turned by 90 degrees about y: along x.
    close(at(&nested, 1), [3.0, 0.0, 1.0]);
    let spread = with(
        "<component type='pixel' idlist='ids'><locations n-elements='3' r='2' t='0' t-end='90' p='0' name='d'/></component>\
         <type name='pixel' is='detector'/><idlist idname='ids'><id start='6' end='2' step='-2'/></idlist>",
        "",
    );
    close(at(&spread, 2), [2.0, 0.0, 0.0]);
    close(at(&spread, 6), [0.0, 0.0, 2.0]);
    assert_eq!(spread.detector_name(spread.detector(4).unwrap()), "d1");
    let delta = with(
        "<component type='bank' idlist='ids'><location r='2' t='30' p='0'/></component>\
         <type name='bank'><component type='pixel' mark-as='monitor'><location r='1' t='60' p='0'/></component></type>\
         <type name='pixel' is='detector'/><idlist idname='ids'><id val='1'/></idlist>",
        "<offsets spherical='delta'/>",
    );
    close(at(&delta, 1), [3.0, 0.0, 0.0]);
    assert!(delta.detector(1).unwrap().monitor);
}
